"""Masking of a stream that passes piece by piece, with what went before in sight.

What has passed cannot be called back: of a secret that shows only now, what is left of it is masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.drafting import MaskingFailedError
from gateway.kubernetes import terminal_documents as documents
from gateway.kubernetes import terminal_tail as tail
from gateway.kubernetes.terminal_spans import Mask, Span, spans
from gateway.kubernetes.terminal_view import View
from schemas.frames import Redaction

CONTEXT_BYTES = 1024
"""Of what has passed so much is looked at again with each piece, or from the beginning of what is still open."""

HALVED_MIN = 1024
"""Bytes that are no text are halved down to this size, before the mask's refusal of them is taken as final."""

_HEAD = b"~\n"
"""Stands before every text: a piece that begins like JSON is not meant as a document of its own, and none is taken
for a wide encoding."""


@dataclass(slots=True)
class Piece:
    """Bytes as they may pass: `body` stands for so many (`size`) that came. Places of `redactions` are in `body`."""

    body: bytes
    size: int
    redactions: list[Redaction] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


class Hidden(NamedTuple):
    """A part of a piece that is masked for another reason than that the mask has found it."""

    start: int
    end: int
    rule: str


class Memory:
    """The masking of one stream."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._before = b""
        self._within = False  # the last piece ended within a secret, which has its pseudonym already

    @property
    def before(self) -> bytes:
        """What has passed and is still looked at."""
        return self._before

    def piece(
        self,
        new: bytes,
        *,
        same_length: bool = False,
        closing: bytes = b"",
        hidden: Sequence[Hidden] | None = None,
    ) -> Piece:
        """`new` masked. Raises what the mask raises.

        `same_length`: a secret is replaced by as many bytes, so that a format stays whole. `closing` stands behind
        `new` only to be looked at. `hidden` parts of it are masked in any case; where they are given, `new` is typed,
        and what is left of a secret gets as many stars.
        """
        text, passed = self._before + new, len(self._before)
        found = self.found(text, closing, binary=same_length)
        if hidden is not None:
            found = [_left(span, passed) for span in found]
            found = _joined(found, [_span(part, passed) for part in hidden])
        writer = _Writer(text, passed, within=self._within, same_length=same_length)
        for span in found:
            if span.end > passed:
                writer.replace(span)
        self._within = bool(found) and found[-1].end >= len(text)
        self._keep(text, found)
        return Piece(writer.rest(), len(new), writer.redactions)

    def found(self, text: bytes, closing: bytes = b"", *, binary: bool = False) -> list[Span]:
        """The secrets of this text, where they stand in it."""
        view = View(text, binary=binary)
        found = []
        looked_at = _HEAD + view.text + closing
        for span in self._in_binary(looked_at) if binary else spans(self._mask, looked_at):
            start, end = span.start - len(_HEAD), min(span.end - len(_HEAD), len(view.text))
            if start < end:
                found.append(span._replace(start=view.raw(start), end=view.raw(end, end=True)))
        return found

    def _in_binary(self, text: bytes) -> list[Span]:
        """The secrets of bytes that are no text. They can look like text wrapped many times over, which the mask
        gives up on: then each half is looked at alone."""
        try:
            return spans(self._mask, text)
        except MaskingFailedError:
            if len(text) < HALVED_MIN:
                raise
        half = len(text) // 2
        rest = [
            span._replace(start=span.start + half, end=span.end + half)
            for span in self._in_binary(text[half:])
        ]
        return [*self._in_binary(text[:half]), *rest]

    def _keep(self, text: bytes, found: list[Span]) -> None:
        start = len(text) - CONTEXT_BYTES
        line = text.rfind(b"\n", max(0, start - CONTEXT_BYTES), max(0, start)) + 1
        start = line or start
        if self._within:
            start = min(start, found[-1].start)
        key = tail.open_key(text)
        document = documents.undecided(text)
        start = min(start, *(place for place in (key, document) if place >= 0), start)
        self._before = text[max(0, start) :]


def _span(part: Hidden, passed: int) -> Span:
    row: Redaction = {"path": "", "rule": part.rule, "start": -1, "end": -1, "pseudonym": ""}
    return Span(part.start + passed, part.end + passed, b"", row)


def _left(span: Span, passed: int) -> Span:
    """Of a secret of which some has passed, what is left."""
    if not span.start < passed < span.end:
        return span
    return Span(passed, span.end, b"", {**span.redaction, "pseudonym": ""})


def _joined(found: list[Span], hidden: list[Span]) -> list[Span]:
    """Without overlap: what the mask has found stands as it is, unless more around it is hidden."""
    kept: list[Span] = []
    for span in sorted([*found, *hidden], key=lambda span: (span.start, -span.end)):
        if span.start >= span.end or (kept and span.end <= kept[-1].end):
            continue
        kept.append(span._replace(start=max(span.start, kept[-1].end if kept else 0)))
    return kept


class _Writer:
    """Puts together what stands for the bytes of `text` behind `passed`."""

    def __init__(self, text: bytes, passed: int, *, within: bool, same_length: bool) -> None:
        self._text, self._at, self._passed = text, passed, passed
        self._within, self._same_length = within, same_length
        self._parts: list[bytes] = []
        self._size = 0
        self.redactions: list[Redaction] = []

    def replace(self, span: Span) -> None:
        """Write what stands for this secret, or for what is left of it."""
        start = max(span.start, self._passed)
        self._add(self._text[self._at : start])
        self._at = span.end
        written = b"" if span.start < self._passed and self._within else span.written
        if self._same_length or not span.written:
            written = fitted(span.redaction["pseudonym"].encode(), span.end - start)
        self.redactions.append({**span.redaction, "start": self._size, "end": self._size + len(written)})
        self._add(written)

    def rest(self) -> bytes:
        """All of it."""
        self._add(self._text[self._at :])
        return b"".join(self._parts)

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)


def fitted(pseudonym: bytes, size: int) -> bytes:
    """A pseudonym in exactly so many bytes: filled up with stars, or stars alone where there is no room for it."""
    return pseudonym.ljust(size, b"*") if len(pseudonym) <= size else b"*" * size
