"""What a process in a pod writes, on its way to the client: masked, and held back only where half a secret may be.

Text gets pseudonyms; in bytes that are no text (a tar archive of `kubectl cp`) a secret is replaced by as many bytes.
"""

from gateway.kubernetes import terminal_documents as documents
from gateway.kubernetes import terminal_tail as tail
from gateway.kubernetes.terminal_coming import coming
from gateway.kubernetes.terminal_memory import HeldTooMuchError, Memory
from gateway.kubernetes.terminal_pieces import Piece
from gateway.kubernetes.terminal_spans import Mask, Span
from gateway.kubernetes.terminal_tar import Spotter

LOOK_AGAIN = 1.25
"""What is held back and large is looked at again only when it has grown so much: its cost stays in proportion."""

LARGE_BYTES = 64 * 1024
MEMBERS = "k8s.tar.members"


class Output:
    """One output channel. `held_max`: bytes that are held back at most. `tty`: a terminal, which shows text."""

    def __init__(self, mask: Mask, *, held_max: int, tty: bool = False) -> None:
        self._memory = Memory(mask)
        self._held_max, self._tty = held_max, tty
        self._held = b""
        self._look_at = 0
        self._binary = False
        self._spotter = Spotter()

    @property
    def waits(self) -> bool:
        """Whether bytes are held back that need not wait for ever."""
        return bool(self._held) and self._whole(len(self._held)) > 0

    @property
    def line(self) -> bytes:
        """The last line as far as it has come, masked or not: for looking at, never for writing down."""
        return (self._memory.before + self._held)[-512:].rpartition(b"\n")[2]

    def take(self, payload: bytes) -> Piece | None:
        """What may pass now that `payload` has come; None for nothing. Raises HeldTooMuchError, and what the mask
        does."""
        self._held += payload
        if len(self._held) < self._look_at or (not self._tty and self._spotter.look(self._held)):
            return None
        before = self._memory.before
        cut = tail.held_from(before + self._held, len(before)) - len(before)
        held = len(self._held) - cut
        if held > self._held_max:
            raise HeldTooMuchError(
                f"more than {self._held_max} bytes came that can only be masked as a whole"
            )
        self._look_at = int(held * LOOK_AGAIN) if held > LARGE_BYTES else 0
        return self._released(cut)

    def echo(self, payload: bytes) -> Piece | None:
        """The record of what a terminal shows of the client's own typing; None where it has to wait its turn."""
        if self._held:
            return None
        return self._memory.piece(payload, hidden=list(coming(self._memory.before, payload)))

    def quiet(self) -> Piece | None:
        """What is held back: nothing has followed for a while. What could be a Secret is masked as one."""
        return self._released(self._whole(len(self._held)), final=True)

    def rest(self) -> Piece | None:
        """All that is held back: nothing follows."""
        return self._released(len(self._held), final=True)

    def _whole(self, size: int) -> int:
        """Of so many bytes those that cut no header of an archive."""
        archive = self._spotter.archive
        return size if archive is None or archive.broken else archive.room(size)

    def _released(self, size: int, *, final: bool = False) -> Piece | None:
        """What stands for the first `size` bytes that are held back, or for fewer where a secret would be cut.

        All is looked at, not only what passes: what tells of a secret may still be held back.
        """
        if not size:
            return None
        self._binary = self._binary or (not self._tty and is_binary(self._held))
        closing = documents.closing(self._memory.before + self._held) if final else b""
        found = self._memory.look(self._held, closing, binary=self._binary)
        if not final:
            size = self._before_secrets(size, found)
        if not size:
            return None
        new, self._held = self._held[:size], self._held[size:]
        self._look_at = 0 if not self._held else self._look_at
        piece = self._memory.passed(new, found, same_length=self._binary)
        piece.body = self._spotter.passed(new, piece.body)
        if self._spotter.archive is not None and self._spotter.archive.members:
            piece.attributes = {MEMBERS: self._spotter.archive.told()}
        return piece

    def _before_secrets(self, size: int, found: list[Span]) -> int:
        """So many of these bytes, or as many fewer that no secret and no header of an archive is cut in two."""
        before = len(self._memory.before)
        size = self._whole(size)
        for span in reversed(found):
            if span.start < before + size < span.end:
                size = self._whole(max(0, span.start - before))
        return size


def is_binary(data: bytes) -> bool:
    """Whether these bytes are no text in UTF-8, of which the first and the last character may be cut."""
    if b"\0" in data:
        return True
    start = 0
    while start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    try:
        data[start:].decode()
    except UnicodeDecodeError as error:
        return start + error.end < len(data) or len(data) - start - error.start > 3
    return False
