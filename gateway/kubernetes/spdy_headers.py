"""Header blocks of SPDY/3: one zlib stream a direction, with a dictionary that both sides know.

Source: SPDY Protocol, Draft 3, section 2.6.10, "Name/Value Header Block".
"""

import zlib

from gateway.kubernetes.spdy_dictionary import DICTIONARY

BLOCK_BYTES_MAX = 32 * 1024
"""Of one block, inflated. Those of a port-forward have some fifty bytes."""

PAIRS_MAX = 256


class SpdyError(ValueError):
    """The bytes are no SPDY/3.1, or more of it than is taken."""


class HeaderReader:
    """The header blocks of one direction, in their order."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, block: bytes) -> dict[str, str]:
        """Names and values of the next block. Raises SpdyError."""
        try:
            plain = self._inflate.decompress(block, BLOCK_BYTES_MAX + 1)
        except zlib.error:
            raise SpdyError("a header block cannot be inflated") from None
        if len(plain) > BLOCK_BYTES_MAX or self._inflate.unconsumed_tail:
            raise SpdyError(f"a header block inflates to more than {BLOCK_BYTES_MAX} bytes")
        return _pairs(plain)


def _pairs(plain: bytes) -> dict[str, str]:
    if not plain:  # some peers send no block at all where there is nothing to say
        return {}
    cursor = _Cursor(plain)
    count = cursor.number()
    if count > PAIRS_MAX:
        raise SpdyError(f"a header block of {count} entries; at most {PAIRS_MAX} are taken")
    pairs: dict[str, str] = {}
    for _ in range(count):
        name = cursor.text().lower()
        if not name or name in pairs:
            raise SpdyError("a header block has a name twice, or one without a name")
        pairs[name] = cursor.text()
    if cursor.left:
        raise SpdyError("a header block goes on behind its last entry")
    return pairs


class _Cursor:
    def __init__(self, plain: bytes) -> None:
        self._plain, self._at = plain, 0

    @property
    def left(self) -> int:
        return len(self._plain) - self._at

    def number(self) -> int:
        return int.from_bytes(self._next(4), "big")

    def text(self) -> str:
        return self._next(self.number()).decode("latin-1")

    def _next(self, size: int) -> bytes:
        if size > self.left:
            raise SpdyError("a header block breaks off")
        self._at += size
        return self._plain[self._at - size : self._at]
