"""Where the parts of a JSON text stand, so that one of them can be cut or replaced and no other byte changes (G8).

Only what is asked for is walked: a value that is of no interest is skipped at the speed of one regular expression.
Scalars are not judged (a reader that takes NaN reads the same structure); a broken structure raises UnreadableError.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NoReturn

from gateway.frames import sse

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s"\[\]{}:,]++')
_BRACKET_OR_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_BOM = b"\xef\xbb\xbf"
_CLOSING = {b"{": b"}", b"[": b"]"}


class UnreadableError(ValueError):
    """The text has not the structure of JSON."""


class Span(NamedTuple):
    """A value: the bytes `start` … `end` - 1 of its text."""

    start: int
    end: int


class Member(NamedTuple):
    """A member of an object; its key is decoded. One key may come more than once."""

    key: str
    key_start: int
    value: Span


class Edit(NamedTuple):
    """Bytes `start` … `end` - 1 are to become `new`."""

    start: int
    end: int
    new: bytes = b""


def whole(text: bytes) -> Span:
    """The one value that `text` is. Raises UnreadableError."""
    start = _after_space(text, len(_BOM) if text.startswith(_BOM) else 0)
    end = _value_end(text, start)
    if _after_space(text, end) != len(text):
        raise UnreadableError(f"more follows the value, at byte {end}")
    return Span(start, end)


def members(text: bytes, value: Span) -> Iterator[Member]:
    """The members of the object at `value`; none when it is no object. Raises UnreadableError."""
    if text[value.start : value.start + 1] != b"{":
        return
    at = _after_space(text, value.start + 1)
    while text[at : at + 1] != b"}":
        key_start = at
        key = _STRING.match(text, at) or _broken(at)
        at = _after_space(text, key.end())
        if text[at : at + 1] != b":":
            _broken(at)
        start = _after_space(text, at + 1)
        end = _value_end(text, start)
        yield Member(decoded(key[0]), key_start, Span(start, end))
        at = _next(text, end, b"}")


def elements(text: bytes, value: Span) -> Iterator[Span]:
    """The elements of the array at `value`; none when it is no array. Raises UnreadableError."""
    if text[value.start : value.start + 1] != b"[":
        return
    at = _after_space(text, value.start + 1)
    while text[at : at + 1] != b"]":
        end = _value_end(text, at)
        yield Span(at, end)
        at = _next(text, end, b"]")


def at_path(text: bytes, value: Span, *keys: str) -> list[Span]:
    """The values behind `keys`, one inside the other; several where a key comes more than once."""
    found = [value]
    for key in keys:
        found = [m.value for each in found for m in members(text, each) if m.key == key]
    return found


def messages(text: bytes) -> list[Span]:
    """The JSON-RPC messages of a body: itself, or the members of a batch. Raises UnreadableError."""
    body = whole(text)
    return list(elements(text, body)) if text[body.start : body.start + 1] == b"[" else [body]


def text_at(text: bytes, value: Span) -> str | None:
    """The string at `value`, decoded; None when it is none."""
    return decoded(text[value.start : value.end]) if text[value.start : value.start + 1] == b'"' else None


def texts_at(text: bytes, value: Span, *keys: str) -> list[str]:
    """The strings behind `keys`; what is no string is left out."""
    found = (text_at(text, each) for each in at_path(text, value, *keys))
    return [each for each in found if each is not None]


def decoded(literal: bytes) -> str:
    """A string literal's characters. Raises UnreadableError."""
    try:
        return str(json.loads(literal.decode("utf-8", "surrogatepass"), strict=False))
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise UnreadableError("a string is not UTF-8, or has an escape that is none") from exc


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


def _after_space(text: bytes, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


def _next(text: bytes, end: int, closing: bytes) -> int:
    """Where the next item begins, or the closing bracket stands."""
    at = _after_space(text, end)
    if text[at : at + 1] == b",":
        at = _after_space(text, at + 1)
        return at if text[at : at + 1] != closing else _broken(at)
    return at if text[at : at + 1] == closing else _broken(at)


def _value_end(text: bytes, start: int) -> int:
    head = text[start : start + 1]
    if head == b'"':
        return (_STRING.match(text, start) or _broken(start)).end()
    if head not in _CLOSING:
        return (_SCALAR.match(text, start) or _broken(start)).end()
    open_ones: list[bytes] = []
    for found in _BRACKET_OR_STRING.finditer(text, start):
        token = found[0]
        if token in _CLOSING:
            open_ones.append(_CLOSING[token])
        elif token == b'"' or (len(token) == 1 and open_ones.pop() != token):
            _broken(found.start())
        if not open_ones:
            return found.end()
    return _broken(len(text))


def _broken(at: int) -> NoReturn:
    raise UnreadableError(f"no JSON at byte {at}")
