"""Where in a text the mask replaced something. A `Mask` tells places in what it wrote; a stream needs those in what
it read, to know which part of a secret has passed before and how many bytes stand in its place.

What stays between two replacements stays byte for byte, so both texts are laid side by side.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.frames import Redaction

Mask = Callable[[bytes], tuple[bytes, list[Redaction]]]
_QUOTE = b"'"  # what the masking puts around a pseudonym that is a whole plain scalar of YAML


class Span(NamedTuple):
    """A secret between two offsets of the text that was read, and what the mask wrote for it."""

    start: int
    end: int
    written: bytes
    redaction: Redaction


def spans(mask: Mask, text: bytes) -> list[Span]:
    """The secrets of `text`, in order. Raises what the mask raises.

    Where the two texts cannot be laid side by side, all from the first secret on is one.
    """
    masked, rows = mask(text)
    if not rows:
        return []
    if any(row["start"] < 0 for row in rows):
        return [_all(text, 0, rows[0])]
    return _laid(text, masked, rows)


def _laid(text: bytes, masked: bytes, rows: list[Redaction]) -> list[Span]:
    found: list[Span] = []
    cursor = written_to = 0  # where text and masked have been read to
    quoted = False
    for index, row in enumerate(rows):
        between = masked[written_to + quoted : row["start"]]
        at, quotes = _place(text, between, cursor, first=not index, before=masked, row=row)
        if at < 0:
            return [*found[:-1], _all(text, found[-1].start if found else 0, row)]
        if index:
            found[-1] = found[-1]._replace(end=at)
        cursor = at + len(between) - quotes
        quoted = bool(quotes)
        written = masked[row["start"] - quotes : row["end"] + quotes]
        found.append(Span(cursor, cursor, written, row))
        written_to = row["end"]
    rest = masked[written_to + quoted :]
    end = len(text) - len(rest)
    if not text.endswith(rest) or end <= found[-1].start:
        return [*found[:-1], _all(text, found[-1].start, found[-1].redaction)]
    return [*found[:-1], found[-1]._replace(end=end)]


def _place(
    text: bytes, between: bytes, cursor: int, *, first: bool, before: bytes, row: Redaction
) -> tuple[int, int]:
    """(where `between` stands in the text, 1 if a quote at its end was put there by the mask); (-1, 0) for nowhere.

    Behind a secret it is looked for from one byte further on: no secret is empty.
    """
    at = _found(text, between, cursor, first)
    if at >= 0:
        return at, 0
    if between.endswith(_QUOTE) and before[row["end"] : row["end"] + 1] == _QUOTE:
        return _found(text, between[:-1], cursor, first), 1
    return -1, 0


def _found(text: bytes, between: bytes, cursor: int, first: bool) -> int:
    if first:
        return 0 if text.startswith(between) else -1
    return text.find(between, cursor + 1)


def _all(text: bytes, start: int, row: Redaction) -> Span:
    return Span(start, len(text), row["pseudonym"].encode(), row)
