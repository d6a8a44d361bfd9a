"""Masking on the way through: texts that arrive in pieces, cut at any byte.

A body is cut where nothing can reach across: between two SSE events, two watch lines, two JSON documents.
What has come since the last cut is held back, and no more. A stream that never gives such a place is
masked at its end, and refused when it has grown past `hold_max`: a secret cut in two would else pass in
two halves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from masking.masker import Masker
from masking.records import LimitCrossed, Redaction
from masking.sse import mask_event

HOLD_MAX = 16 * 1024 * 1024
"""Bytes that are held back at most."""


class Framing(Enum):
    """Where a stream may be cut."""

    SSE = "sse"
    LINES = "lines"
    WHOLE = "whole"


_CUTS = {
    Framing.SSE: re.compile(rb"\r\n\r\n|\n\n|\r\r(?!\n)|\n\r\n|\r\n\n"),
    Framing.LINES: re.compile(rb"\n"),
}
_OVERLAP = 3
_KEY_MAX = 64 * 1024


class StreamMasker:
    """Masks one stream: `feed` gives what may go on, `close` the rest. Not for use by two threads at once.

    `redactions` counts from the start of the stream (bytes) and grows as it goes.
    """

    def __init__(self, masker: Masker, framing: Framing = Framing.WHOLE, hold_max: int = HOLD_MAX) -> None:
        self._masker, self._framing, self._hold_max = masker, framing, hold_max
        self._held = bytearray()
        self._searched = self._offset = 0
        self.redactions: list[Redaction] = []

    def feed(self, piece: bytes) -> bytes:
        """What is masked and may pass now. Raises LimitCrossed when too much had to be held back."""
        self._held += piece
        cut = self._last_cut()
        if len(self._held) - cut > self._hold_max:
            raise LimitCrossed(
                f"more than {self._hold_max} bytes came without a place to cut; nothing of them passes"
            )
        return self._release(cut) if cut else b""

    def close(self) -> bytes:
        """The rest, masked. The stream is over."""
        return self._release(len(self._held))

    @property
    def held(self) -> int:
        """Bytes that are held back now."""
        return len(self._held)

    def _last_cut(self) -> int:
        """The end of the last whole frame. Bytes that were searched before are not searched again."""
        pattern = _CUTS.get(self._framing)
        if pattern is None:
            return 0
        cut = 0
        for match in pattern.finditer(self._held, max(0, self._searched - _OVERLAP)):
            if match.group() != b"\r\r" or match.end() < len(self._held):
                cut = match.end()
        self._searched = len(self._held)
        return self._before_open_key(cut) if cut else 0

    def _before_open_key(self, cut: int) -> int:
        """Lines of a PEM block are one text: cut before a private key that has not ended, if it is not
        endless.
        """
        begin = self._held.rfind(b"-----BEGIN ", 0, cut)
        if begin < 0 or cut - begin > _KEY_MAX or self._held.find(b"-----END ", begin, cut) >= 0:
            return cut
        if b"PRIVATE KEY" not in self._held[begin : begin + 60]:
            return cut
        return self._held.rfind(b"\n", 0, begin) + 1

    def _release(self, size: int) -> bytes:
        frames = bytes(self._held[:size])
        del self._held[:size]
        self._searched = len(self._held)
        parts = [self._masked(frame) for frame in self._frames(frames)]
        return b"".join(parts)

    def _frames(self, frames: bytes) -> Iterator[bytes]:
        """One frame after the other: a finding in one must not depend on how many came at once."""
        pattern = _CUTS.get(self._framing)
        start = 0
        if pattern is not None and b"PRIVATE KEY-----" not in frames:
            for match in pattern.finditer(frames):
                yield frames[start : match.end()]
                start = match.end()
        if start < len(frames):
            yield frames[start:]

    def _masked(self, frame: bytes) -> bytes:
        masked = mask_event(self._masker, frame) if self._framing is Framing.SSE else self._masker.mask(frame)
        for r in masked.redactions:
            start, end = r.start + self._offset, r.end + self._offset
            self.redactions.append(replace(r, start=start, end=end))
        self._offset += len(frame)
        return masked.text
