"""Where the parts of a JSON text stand, so that one of them can be cut or replaced by `splices.py`.

Only what is asked for is walked. The parser skips values of no interest and tells how long they are; where it does
not follow (a key that comes twice, NaN, 100,000 brackets) a slower walk does, which judges no scalars: a reader that
takes NaN reads the same structure. A broken structure raises UnreadableError.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, NoReturn

import msgspec

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s"\[\]{}:,]++')
_BRACKET_OR_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_ESCAPED_LETTER = re.compile(rb"\\u00(?:4[1-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA])")
_HUMP = re.compile("[A-Z]")
_BOM = b"\xef\xbb\xbf"
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
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


def may_have(text: bytes, key: bytes) -> bool:
    """Whether there can be such a key: it stands there, or some ASCII letter is escaped. A quick no."""
    if key in text or (b"\\u00" in text and _ESCAPED_LETTER.search(text) is not None):
        return True
    return (other := _other_spelling(key)) != key and other in text


def whole(text: bytes) -> Span:
    """The one value that `text` is, from its first byte to its last. Raises UnreadableError."""
    start = _after_space(text, len(_BOM) if text.startswith(_BOM) else 0)
    end = len(text.rstrip(b" \t\r\n"))
    return Span(start, end) if start < end else _broken(start)


def members(text: bytes, value: Span) -> Iterator[Member]:
    """The members of the object at `value`; none when it is no object. Raises UnreadableError."""
    if text[value.start : value.start + 1] != b"{":
        return
    try:
        found = list(_measured_members(text, value))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UnreadableError):
        found = list(_walked_members(text, value))
    yield from found


def elements(text: bytes, value: Span) -> Iterator[Span]:
    """The elements of the array at `value`; none when it is no array. Raises UnreadableError."""
    if text[value.start : value.start + 1] != b"[":
        return
    try:
        known = _array.decode(memoryview(text)[value.start : value.end])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from list(_walked_elements(text, value))
        return
    at = value.start + 1
    for raw in known:
        start = text.index(
            bytes(raw), at
        )  # only space and a comma lie between, and no value begins with those
        at = start + len(raw)
        yield Span(start, at)


def at_path(text: bytes, value: Span, *keys: str) -> list[Span]:
    """The values behind `keys`, one inside the other; several where a key comes more than once, or in both of the
    spellings that the official Python SDK takes (`taskId`, `task_id`)."""
    found = [value]
    for key in keys:
        found = [m.value for each in found for m in members(text, each) if m.key in _spellings(key)]
    return found


def parts(text: bytes, value: Span, *keys: str) -> tuple[list[Span], ...]:
    """The values behind each of `keys` in the object at `value`, in one walk."""
    found: dict[str, list[Span]] = {key: [] for key in keys}
    spelled = {name: key for key in keys for name in _spellings(key)}
    for member in members(text, value):
        if member.key in spelled:
            found[spelled[member.key]].append(member.value)
    return tuple(found.values())


@lru_cache(maxsize=256)
def _other_spelling(key: bytes) -> bytes:
    return _HUMP.sub(lambda hump: "_" + hump[0].lower(), key.decode()).encode()


@lru_cache(maxsize=256)
def _spellings(key: str) -> frozenset[str]:
    """A key of the protocol as clients of every SDK take it: `_meta` is `meta`, `taskId` is `task_id`."""
    return frozenset({key, _HUMP.sub(lambda hump: "_" + hump[0].lower(), key).removeprefix("_")})


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
        if b"\\" not in literal:
            return literal[1:-1].decode("utf-8", "surrogatepass")
        return str(json.loads(literal.decode("utf-8", "surrogatepass"), strict=False))
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise UnreadableError("a string is not UTF-8, or has an escape that is none") from exc


def _measured_members(text: bytes, value: Span) -> Iterator[Member]:
    """The members, by the lengths that the parser finds. Raises UnreadableError when a key comes twice.

    The parser keeps the last of two values, so every one is compared with what stands in its place: a value that
    begins there and ends before a comma is the one that is there.
    """
    at, more = value.start + 1, False
    for key, raw in _object.decode(memoryview(text)[value.start : value.end]).items():
        key_start = _after_space(text, at)
        literal = _STRING.match(text, key_start) or _broken(key_start)
        colon = _after_space(text, literal.end())
        begin = _after_space(text, colon + 1)
        end = begin + len(raw)
        at = _after_space(text, end)
        more = text[at : at + 1] == b","
        if decoded(literal[0]) != key or text[begin:end] != bytes(raw) or not (more or at == value.end - 1):
            _broken(key_start)
        yield Member(key, key_start, Span(begin, end))
        at += 1
    if more:
        _broken(at)


def _walked_members(text: bytes, value: Span) -> Iterator[Member]:
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
    if at + 1 != value.end:
        _broken(at)


def _walked_elements(text: bytes, value: Span) -> Iterator[Span]:
    at = _after_space(text, value.start + 1)
    while text[at : at + 1] != b"]":
        end = _value_end(text, at)
        yield Span(at, end)
        at = _next(text, end, b"]")
    if at + 1 != value.end:
        _broken(at)


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
