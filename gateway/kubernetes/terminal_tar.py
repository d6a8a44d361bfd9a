"""A tar archive on its way (`kubectl cp`): where its headers stand, so that they stay valid when a name is masked.

Source of the layout: POSIX.1-1988 ustar, as pax and GNU tar write it: https://pubs.opengroup.org, `pax`, "ustar
Interchange Format".
"""

from collections.abc import Iterator

BLOCK = 512
MEMBERS_MAX = 32
_NAME, _SIZE, _SUM, _KIND, _MAGIC, _PREFIX = (
    slice(0, 100),
    slice(124, 136),
    slice(148, 156),
    156,
    slice(257, 262),
    slice(345, 500),
)
_TEXTS = (_NAME, slice(157, 257), slice(265, 297), slice(297, 329), _PREFIX)
"""Fields in which a secret may be written: names, the target of a link, owner and group."""

_ASIDE = frozenset(b"xgLK")  # headers that only say more of the next one
_SPACES = b" " * 8


class Archive:
    """Follows an archive from its first byte. `members` are the names and sizes of those whose header came last."""

    def __init__(self) -> None:
        self._at = self._next = 0  # offsets in the stream: what has been seen, and of the next header
        self._head = b""
        self.members: list[str] = []
        self.broken = False  # what should be a header is none: nothing is known of what follows

    def room(self, size: int) -> int:
        """So many of the next `size` bytes that no header is cut by their end."""
        end = self._at + size
        return max(0, end - end % BLOCK - self._at)

    def passed(self, raw: bytes, masked: bytes) -> bytes:
        """`masked`, which stands for `raw` and is as long, with its headers made whole again."""
        self.members = []
        fixed = bytearray(masked)
        for place in self._headers(raw):
            if place >= 0:
                whole = header(raw[place : place + BLOCK], masked[place : place + BLOCK])
                fixed[place : place + BLOCK] = whole
                self._name(whole)
        self._at += len(raw)
        return bytes(fixed)

    def _headers(self, raw: bytes) -> Iterator[int]:
        """Where in `raw` headers stand; -1 for one whose beginning has passed before."""
        end = self._at + len(raw)
        while not self.broken and self._next + BLOCK <= end:
            place = self._next - self._at
            block = raw[place : place + BLOCK] if place >= 0 else self._head + raw[: place + BLOCK]
            if block.strip(b"\0"):
                if not is_header(block):
                    self.broken = True
                    return
                self._next += blocks(size_of(block)) * BLOCK
                yield place
            self._next += BLOCK
            self._head = b""
        if self._next < end:
            self._head += raw[max(0, self._next - self._at) :]

    def _name(self, block: bytes) -> None:
        if block[_KIND] not in _ASIDE:
            prefix, name = _text(block[_PREFIX]), _text(block[_NAME])
            self.members.append(f"{prefix}/{name} {size_of(block)}" if prefix else f"{name} {size_of(block)}")

    def told(self) -> str:
        """The members that began last, as a record says it."""
        shown = self.members[:MEMBERS_MAX]
        more = len(self.members) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")


def is_header(block: bytes) -> bool:
    """Whether this block is the header of a member, by its magic and its checksum."""
    if len(block) != BLOCK or block[_MAGIC] != b"ustar":
        return False
    return _octal(block[_SUM]) == _sum(block)


def header(raw: bytes, masked: bytes) -> bytes:
    """The header `raw` with its texts as `masked` has them, and the checksum of that."""
    if raw == masked:
        return raw
    block = bytearray(raw)
    for field in _TEXTS:
        block[field] = masked[field]
    block[_SUM] = b"%06o\0 " % _sum(bytes(block))
    return bytes(block)


def size_of(block: bytes) -> int:
    """Bytes of the member's content."""
    field = block[_SIZE]
    if field[0] & 0x80:  # a number of GNU tar, for what octal digits cannot say
        return int.from_bytes(field[1:], "big")
    return max(0, _octal(field))


def blocks(size: int) -> int:
    """Blocks that this much content takes."""
    return -(-size // BLOCK)


def _sum(block: bytes) -> int:
    return sum(block[:148]) + sum(_SPACES) + sum(block[156:])


def _octal(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else -1


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


class Spotter:
    """Tells from its first block whether a stream is an archive, however it is cut."""

    def __init__(self) -> None:
        self.archive: Archive | None = None
        self._seen = b""
        self._looking = True

    def look(self, coming: bytes) -> bool:
        """Whether `coming`, which follows what has passed, may be the beginning of an archive of which more is needed
        to know."""
        if not self._looking:
            return False
        first = self._seen + coming[: BLOCK - len(self._seen)]
        if len(first) < BLOCK:
            return not self._seen and b"\0" in first
        self._looking = False
        if is_header(first):
            self.archive = Archive()
            self.archive.passed(self._seen, self._seen)
        return False

    def passed(self, raw: bytes, masked: bytes) -> bytes:
        """What may pass for `raw`: `masked`, in an archive with its headers made whole."""
        if self.archive is not None:
            return self.archive.passed(raw, masked)
        if self._looking:
            self._seen += raw
        return masked
