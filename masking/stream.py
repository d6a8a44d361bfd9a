"""Masking on the way through: texts that arrive in pieces, cut at any byte.

A body is cut where nothing can reach across: between two SSE events, two watch lines, two JSON documents. What has come
since the last cut is held back, and no more. A stream that never gives such a place is masked at its end, and refused
when it has grown past `hold_max`: a secret cut in two would else pass in two halves.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Protocol

from masking.masker import Masker
from masking.records import LimitCrossed, Masked, Redaction, Unreadable

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
_DATA = re.compile(rb"(?:(?<=[\r\n])|^)data:[ ]?([^\r\n]*)(\r\n|\r|\n|\Z)")


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
            raise LimitCrossed(f"more than {self._hold_max} bytes came without a place to cut; nothing of them passes")
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
        """Lines of a PEM block are one text: cut before a private key that has not ended, if it is not endless."""
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
            self.redactions.append(Redaction(r.rule, r.path, start, end, r.pseudonym))
        self._offset += len(frame)
        return masked.text


def mask_event(masker: Masker, event: bytes) -> Masked[bytes]:
    """One SSE event, its `data:` lines read as the one text they are (they join with line feeds).

    The joined text is masked, and its lines take the places of the old ones; the last takes what is left. Other fields
    are masked as they stand.
    """
    lines = list(_DATA.finditer(event))
    if len(lines) < 2:
        return masker.mask(event)
    joined = masker.mask(b"\n".join(line[1] for line in lines))
    if not joined.redactions:
        return masker.mask(event)
    marks = _marks(lines)
    moved = tuple(
        Redaction(r.rule, r.path, _moved(marks, r.start), _moved(marks, r.end), r.pseudonym)
        for r in joined.redactions
    )
    # Other fields of the event (`id:`, comments) have not been looked at yet; what is masked stays as it is.
    whole = masker.mask(_relined(event, lines, joined.text))
    return Masked(whole.text, moved + whole.redactions)


def _marks(lines: list[re.Match[bytes]]) -> list[tuple[int, int]]:
    """(offset in the joined text, offset in the event) of the beginning of each line."""
    marks, offset = [], 0
    for line in lines:
        marks.append((offset, line.start(1)))
        offset += len(line[1]) + 1
    return marks


def _moved(marks: list[tuple[int, int]], offset: int) -> int:
    joined, event = max(mark for mark in marks if mark[0] <= offset)
    return event + offset - joined


def _relined(event: bytes, lines: list[re.Match[bytes]], text: bytes) -> bytes:
    parts, done = [], 0
    news = text.split(b"\n")
    for index, line in enumerate(lines):
        parts.append(event[done : line.start(1)])
        if index == len(lines) - 1:
            parts.append(((line[2] or b"\n") + b"data: ").join(news[index:]))
        elif index < len(news):
            parts.append(news[index])
        done = line.end(1)
    parts.append(event[done:])
    return b"".join(parts)


class _Inflater(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


def inflater(encoding: str) -> _Inflater:
    """What reads a Content-Encoding: gzip, deflate, br or zstd. Raises Unreadable for others."""
    name = encoding.strip().lower()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(name == "deflate")
    if name == "br":
        return _Optional("brotli", "Decompressor", "process", "error")
    if name == "zstd":
        return _Optional("backports.zstd", "ZstdDecompressor", "decompress", "ZstdError")
    raise Unreadable(f"content encoding {name!r} cannot be looked into; nothing of the body passes")


class _Zlib:
    """Gzip, and deflate in both its meanings: with the zlib header, as the standard says, and raw, as some send."""

    def __init__(self, deflate: bool) -> None:
        self._deflate = deflate
        self._engine = zlib.decompressobj(wbits=zlib.MAX_WBITS if deflate else zlib.MAX_WBITS | 16)
        self._begun = False

    def decompress(self, data: bytes, /) -> bytes:
        if self._deflate and not self._begun and data:
            self._begun = True
            if data[0] & 0x0F != 8:
                self._engine = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            return self._engine.decompress(data)
        except zlib.error as error:
            raise Unreadable(f"the compressed body is damaged: {error}") from None


class _Optional:
    """An encoding whose package is needed only where a server answers in it."""

    def __init__(self, module: str, decompressor: str, method: str, error: str) -> None:
        try:
            package = importlib.import_module(module)
        except ImportError:
            raise Unreadable(f"this content encoding needs the package {module}; nothing passes") from None
        self._error: type[Exception] = getattr(package, error)
        self._read: Callable[[bytes], bytes] = getattr(getattr(package, decompressor)(), method)

    def decompress(self, data: bytes, /) -> bytes:
        try:
            return self._read(data)
        except (self._error, EOFError):
            raise Unreadable("the compressed body is damaged, or goes on after its end") from None


class DecodingMasker:
    """A stream in a Content-Encoding: decoded, masked, and passed on without encoding (say so in the headers).

    `ratio_max` bounds decoded bytes to those received, above one megabyte.
    """

    def __init__(self, stream: StreamMasker, encoding: str, ratio_max: int = 200) -> None:
        self._stream, self._engine, self._ratio_max = stream, inflater(encoding), ratio_max
        self._received = self._decoded = 0

    def feed(self, piece: bytes) -> bytes:
        """What is masked and may pass now, decoded. Raises Unreadable, or LimitCrossed for a bomb."""
        parts = []
        for start in range(0, len(piece), 4096):
            data = self._engine.decompress(piece[start : start + 4096])
            self._received += len(piece[start : start + 4096])
            self._decoded += len(data)
            if self._decoded > 1_000_000 and self._decoded > self._ratio_max * self._received:
                raise LimitCrossed(f"the body inflates more than {self._ratio_max} times; nothing more of it passes")
            parts.append(self._stream.feed(data))
        return b"".join(parts)

    def close(self) -> bytes:
        """The rest, masked."""
        return self._stream.close()
