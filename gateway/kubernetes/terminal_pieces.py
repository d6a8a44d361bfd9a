"""A piece of a stream as it may pass: what stands for its bytes, and how that is put together."""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.kubernetes.terminal_spans import Span
from schemas.frames import Redaction


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


def hidden_span(part: Hidden, passed: int) -> Span:
    """The part of a piece behind so many bytes, as a secret."""
    row: Redaction = {"path": "", "rule": part.rule, "start": -1, "end": -1, "pseudonym": ""}
    return Span(part.start + passed, part.end + passed, b"", row)


def left(span: Span, passed: int) -> Span:
    """Of a secret of which some has passed, what is left."""
    if not span.start < passed < span.end:
        return span
    return Span(passed, span.end, b"", {**span.redaction, "pseudonym": ""})


def joined(found: list[Span], more: list[Span]) -> list[Span]:
    """Without overlap: of two that overlap the one that begins first stands whole."""
    kept: list[Span] = []
    for span in sorted([*found, *more], key=lambda span: (span.start, -span.end)):
        if span.start >= span.end or (kept and span.end <= kept[-1].end):
            continue
        kept.append(span._replace(start=max(span.start, kept[-1].end if kept else 0)))
    return kept


class Writer:
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
