"""Parts of a JSON text cut or replaced, in a body or in the data lines of an SSE event; all else stays (G8)."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.frames import sse
from gateway.tools.spans import Span, UnreadableError, messages


class Edit(NamedTuple):
    """Bytes `start` … `end` - 1 are to become `new`."""

    start: int
    end: int
    new: bytes = b""


def cut(items: list[Span], refused: Iterable[int]) -> list[Edit]:
    """Edits that take the items of these indexes out of their list, each with one of the commas beside it."""
    out = set(refused)
    if out and len(out) == len(items):
        return [Edit(items[0].start, items[-1].end)]
    edits, kept_before = [], False
    for index, item in enumerate(items):
        if index not in out:
            kept_before = True
        elif kept_before:
            edits.append(Edit(items[index - 1].end, item.end))
        else:
            edits.append(Edit(item.start, items[index + 1].start))
    return edits


def spliced(text: bytes, edits: Iterable[Edit]) -> bytes:
    """`text` with the edits done; they must not overlap."""
    parts, done = [], 0
    for start, end, new in sorted(edits):
        parts += [text[done:start], new]
        done = end
    return b"".join([*parts, text[done:]])


def edited(raw: bytes, event: bool, edits_of: Callable[[bytes], list[Edit]]) -> bytes:
    """`raw` with what `edits_of` wants of its JSON: the body itself, or the data of an SSE event's block.

    An event keeps its lines: what is cut over several `data:` lines leaves them empty, which JSON reads as space.
    """
    if not event:
        edits = edits_of(raw)
        return spliced(raw, edits) if edits else raw
    edits = edits_of(sse.fields(raw).data)
    return spliced(raw, _in_lines(edits, sse.data_lines(raw))) if edits else raw


def without_messages(raw: bytes, event: bool, gone: Callable[[bytes, Span], bool]) -> bytes:
    """`raw` without the JSON-RPC messages for which `gone` holds: members of a batch are cut, a body of nothing else
    is b"", an event's block keeps its id alone. What cannot be read stays.
    """
    data = sse.fields(raw).data if event else raw
    try:
        found = messages(data)
        out = [index for index, message in enumerate(found) if gone(data, message)]
    except UnreadableError:
        return raw
    if not out:
        return raw
    if len(out) == len(found):
        return sse.silenced(raw) if event else b""
    return edited(raw, event, lambda _: cut(found, out))


def _in_lines(edits: list[Edit], lines: list[tuple[int, int]]) -> list[Edit]:
    """Edits of the joined data as edits of the block, cut at the ends of its data lines."""
    moved, offset = [], 0
    pending = sorted(edits)
    for line_start, line_end in lines:
        length = line_end - line_start
        for start, end, new in pending:
            first, last = max(start, offset), min(end, offset + length)
            begins_here = offset <= start <= offset + length
            if first < last or begins_here:
                shift = line_start - offset
                moved.append(Edit(first + shift, max(first, last) + shift, new if begins_here else b""))
        offset += length + 1
    return moved
