"""Masking of a stream that passes piece by piece, with what went before in sight.

What has passed cannot be called back: of a secret that shows only now, what is left of it is masked.
"""

from collections.abc import Sequence

from gateway.drafting import MaskingFailedError
from gateway.frames.halves import half_character
from gateway.kubernetes import terminal_documents as documents
from gateway.kubernetes import terminal_tail as tail
from gateway.kubernetes.terminal_pieces import Hidden, Piece, Writer, hidden_span, joined, left
from gateway.kubernetes.terminal_spans import Mask, Span, spans
from gateway.kubernetes.terminal_view import View
from schemas.frames import Redaction

CONTEXT_BYTES = 1024
"""Of what has passed so much is looked at again with each piece, or from the beginning of what is still open."""

CONTEXT_BYTES_MAX = 256 * 1024
"""So much is looked at again at most."""

HALVED_MIN = 1024
"""Bytes that are no text are halved down to this size, before the mask's refusal of them is taken as final."""

_NO_TEXT = b"\xff"

_HEAD = b"[\n"
"""Stands before every text: a piece that begins like JSON is not meant as a document of its own, and none is taken
for a wide encoding. Where a secret stands in a document is told fastest of what begins like a list."""


class HeldTooMuchError(ValueError):
    """So much came without a place where it can be cut that it cannot be held back, or remembered, any more."""


class Memory:
    """The masking of one stream."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._before = b""
        self._took_binary = False
        self._cut_line = False  # `before` begins within a line
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
        """`new` masked, as `look` and `passed` do it.

        `hidden` parts of it are masked in any case; where they are given, `new` is typed, and what is left of a
        secret gets as many stars.
        """
        found = self.look(new, closing, binary=same_length)
        if hidden is not None:
            before = len(self._before)
            found = [left(span, before) for span in found]
            found = joined(found, [hidden_span(part, before) for part in hidden])
        return self.passed(new, found, same_length=same_length)

    def look(self, coming: bytes, closing: bytes = b"", *, binary: bool = False) -> list[Span]:
        """The secrets in `before` and what comes behind it, where they stand in both together. `closing` is only
        looked at. Raises what the mask raises."""
        if binary and not self._took_binary:
            self._mask(_NO_TEXT)  # a profile that lets only readable text pass refuses it here
            self._took_binary = True
        text = self._before + coming
        if not binary:
            text = text[: half_character(text)]  # which is no text before the rest of it has come
        view = View(text, binary=binary)
        found = self._looked_at(_HEAD, view, closing, binary=binary)
        if self._cut_line and b"Secret" in view.text:
            # The line was cut: nobody knows whether a quote in it opens or closes, so both are looked at.
            found = joined(found, self._looked_at(_HEAD + b'"', view, closing, binary=binary))
        return found

    def passed(self, new: bytes, found: list[Span], *, same_length: bool = False) -> Piece:
        """What stands for `new`, which passes now. Raises HeldTooMuchError.

        `same_length`: a secret is replaced by as many bytes, so that a format stays whole.
        """
        text, before = self._before + new, len(self._before)
        found = [span._replace(end=min(span.end, len(text))) for span in found if span.start < len(text)]
        writer = Writer(text, before, within=self._within, same_length=same_length)
        for span in found:
            if span.end > before:
                writer.replace(span)
        self._within = bool(found) and found[-1].end >= len(text)
        self._keep(text, found)
        return Piece(writer.rest(), len(new), writer.redactions)

    def _looked_at(self, head: bytes, view: View, closing: bytes, *, binary: bool) -> list[Span]:
        text = head + view.text + closing
        found = []
        for span in self._in_binary(text) if binary else spans(self._mask, text):
            start, end = max(0, span.start - len(head)), min(span.end - len(head), len(view.text))
            if start < end:
                row: Redaction = {**span.redaction, "path": ""}  # which is of the head, and would say nothing
                found.append(Span(view.raw(start), view.raw(end, end=True), span.written, row))
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
        """Keep of what has passed what is to be looked at again. Raises HeldTooMuchError."""
        start = max(0, len(text) - CONTEXT_BYTES)
        line = text.rfind(b"\n", max(0, start - CONTEXT_BYTES), start) + 1
        start = line or start
        opened = [tail.open_key(text), documents.undecided(text), found[-1].start if self._within else -1]
        start = min(start, *(place for place in opened if place >= 0), start)
        if len(text) - start > CONTEXT_BYTES_MAX:
            raise HeldTooMuchError(
                f"an object that may be a Secret came with pauses and grew past {CONTEXT_BYTES_MAX} bytes"
            )
        while start < len(text) and text[start] & 0xC0 == 0x80 and start > 0 and line != start:
            start += 1  # a character is not cut
        self._cut_line = text[start - 1 : start] != b"\n" if start else self._cut_line
        self._before = text[start:]
