"""Where the parts of a JSON text stand, so that one of them can be cut or replaced by `splices.py`.

Only what is asked for is walked: a value that is of no interest is skipped at the speed of one regular expression.
Scalars are not judged (a reader that takes NaN reads the same structure); a broken structure raises UnreadableError.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s"\[\]{}:,]++')
_BRACKET_OR_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_ESCAPED_LETTER = re.compile(rb"\\u00(?:4[1-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA])")
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


def may_have(text: bytes, key: bytes) -> bool:
    """Whether there can be such a key: it stands there, or some ASCII letter is escaped. A quick no."""
    return key in text or _ESCAPED_LETTER.search(text) is not None


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
