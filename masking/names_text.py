"""The prose of a body: string values of JSON as people would read them, or the text itself, with the way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from masking import literals
from masking.literals import LITERAL, decode

DEPTH_MAX = 3
STRETCH_CHARS = 2_000
_JSON = re.compile(r"\s*(?:[{\[]|(?:event|data|id|retry):)")
_TECHNICAL = re.compile(
    r"[=_/{}\[\]<>|\\@#$]|\d[a-zA-Z]|[a-z]\d|[a-z][A-Z]|\w[.:]\w"
    r"|^[a-z0-9]+(?:-[a-z0-9]+){2,}$|^--?\w|^[a-z][\w-]*:$|^['\"][^'\"]*['\"][,;]?$"
)
_LETTERS = re.compile(r"[^\W\d_]{2,}")
TECHNICAL_SHARE = 0.3


class Stretch(NamedTuple):
    """A text, and where a place in it stands in the view it was taken from."""

    text: str
    raw: Callable[[int], int]


def stretches(view: str) -> Iterator[Stretch]:
    """The prose of this view, in order."""
    yield from _within(view, lambda place: place, 0)


def _within(view: str, raw: Callable[[int], int], depth: int) -> Iterator[Stretch]:
    if _JSON.match(view) and depth <= DEPTH_MAX and '"' in view:
        for match in LITERAL.finditer(view):
            yield from _literal(match, raw, depth)
    else:
        yield from _prose(view, raw)


def _literal(match: re.Match[str], raw: Callable[[int], int], depth: int) -> Iterator[Stretch]:
    content = match.group()[1:-1] if match.group().endswith('"') else match.group()[1:]
    if " " not in content:  # one word is a name only by its key: see names_keys.py
        return
    start = match.start() + 1
    if "\\" not in content:
        yield from _within(content, lambda place: raw(start + place), depth + 1)
        return
    offsets = literals.offsets(content)
    yield from _within(decode(content), lambda place: raw(start + offsets.raw(place)), depth + 1)


def _prose(view: str, raw: Callable[[int], int]) -> Iterator[Stretch]:
    """The stretches of a plain text that are prose, cut between lines where it is long."""
    for start, end in _cut(view):
        piece = view[start:end]
        try:
            text = piece if piece.isascii() else piece.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            continue
        if prose(text):
            yield Stretch(text, _way_back(text, start, raw))


def _way_back(text: str, start: int, raw: Callable[[int], int]) -> Callable[[int], int]:
    if text.isascii():
        return lambda place: raw(start + place)
    return lambda place: raw(start + len(text[:place].encode("utf-8", "surrogatepass")))


def _cut(view: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(view):
        end = min(start + STRETCH_CHARS, len(view))
        if end < len(view):
            line = max(view.rfind("\n", start + STRETCH_CHARS // 2, end), view.rfind(" ", end - 200, end))
            end = line + 1 if line > start else end
        yield start, end
        start = end


def prose(text: str) -> bool:
    """Whether a person may have written it: words, few of them with the signs of a machine's."""
    words = [word.lstrip(">") for word in text.split()]  # a mail that quotes another is prose
    lettered = sum(_LETTERS.search(word) is not None for word in words)
    if lettered < 2:
        return False
    technical = sum(_TECHNICAL.search(word) is not None for word in words)
    return technical <= TECHNICAL_SHARE * len(words)
