"""Masking of a text that passes in pieces: what began in one piece and ends in the next is still known."""

from collections.abc import Callable

from gateway.drafting import MaskingFailedError
from masking.charsets import foreign
from schemas.frames import Redaction

Mask = Callable[[bytes], tuple[bytes, list[Redaction]]]
CONTEXT_BYTES_MAX = 4096
HEAD_BYTES = 64  # by which the masking tells a wide encoding
_TELLING_BYTES = 8
_PLAIN_HEAD = b" " * HEAD_BYTES  # behind it nothing is taken for text in a wide encoding


class PieceMasker:
    """Masks one piece after the other with what went before it on the same line in sight.

    What has gone already cannot be called back: where only the whole tells that it is a secret, what is left of it
    is masked.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._line = b""  # what has come of the line that has not ended
        self._head = b""

    def mask(self, piece: bytes) -> tuple[bytes, list[Redaction]]:
        """The piece masked, with what was replaced in it. Raises MaskingFailedError."""
        self._look_at_head(piece)
        line = self._line
        self._line = (line + piece).rpartition(b"\n")[2][-CONTEXT_BYTES_MAX:]
        whole, found = self._mask(_PLAIN_HEAD + line + piece)
        if not found:
            return piece, []
        if not line:
            return whole[len(_PLAIN_HEAD) :], _moved(found, len(_PLAIN_HEAD))
        alone, own = self._mask(_PLAIN_HEAD + piece)
        return _piece_of(whole, found, alone[len(_PLAIN_HEAD) :], _moved(own, len(_PLAIN_HEAD)))

    def _look_at_head(self, piece: bytes) -> None:
        """The first bytes tell a wide encoding: it cannot be cut at any byte, and is not told by later ones."""
        if len(self._head) == HEAD_BYTES:
            return
        self._head = (self._head + piece)[:HEAD_BYTES]
        if len(self._head) >= _TELLING_BYTES and foreign(self._head):
            raise MaskingFailedError("a text in a wide encoding cannot be masked piece by piece")


def _piece_of(
    whole: bytes, found: list[Redaction], alone: bytes, own: list[Redaction]
) -> tuple[bytes, list[Redaction]]:
    """The end of `whole` that stands for the piece, which looks like `alone` where nothing reaches into it."""
    same = _common_end(whole, alone)
    if same == len(alone):
        return alone, own
    across = next((each for each in reversed(found) if each["end"] <= len(whole) - same), found[-1])
    name = across["pseudonym"].encode()
    start = len(alone) - same - len(name)
    kept = [each for each in own if each["start"] >= len(alone) - same]
    return name + alone[len(alone) - same :], [{**across, "start": 0, "end": len(name)}, *_moved(kept, start)]


def _moved(found: list[Redaction], by: int) -> list[Redaction]:
    return [
        {**each, "start": each["start"] - by, "end": each["end"] - by} if each["start"] >= 0 else each
        for each in found
    ]


def _common_end(one: bytes, other: bytes) -> int:
    """How many bytes both end with."""
    if one.endswith(other):
        return len(other)
    return next(
        (
            place
            for place, pair in enumerate(zip(reversed(one), reversed(other), strict=False))
            if pair[0] != pair[1]
        ),
        min(len(one), len(other)),
    )
