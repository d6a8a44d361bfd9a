"""Server-sent events: the `data:` lines of one event are one text, whatever lines it was cut into."""

from __future__ import annotations

import re
from dataclasses import replace

from masking.masker import Masker
from masking.records import Masked

_DATA = re.compile(rb"(?:(?<=[\r\n])|^)data:[ ]?([^\r\n]*)(\r\n|\r|\n|\Z)")


def mask_event(masker: Masker, event: bytes) -> Masked[bytes]:
    """One SSE event, its `data:` lines read as the one text they are (they join with line feeds).

    The joined text is masked, and its lines take the places of the old ones; the last takes what is left.
    Other fields are masked as they stand.
    """
    lines = list(_DATA.finditer(event))
    if len(lines) < 2:
        return masker.mask(event)
    joined = masker.mask(b"\n".join(line[1] for line in lines))
    if not joined.redactions:
        return masker.mask(event)
    marks = _marks(lines)
    moved = tuple(
        replace(r, start=_moved(marks, r.start), end=_moved(marks, r.end)) for r in joined.redactions
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
