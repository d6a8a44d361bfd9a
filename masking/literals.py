"""JSON string literals: finding them in any text, decoding them, and mapping decoded offsets back to raw
ones.

Works on fragments too (a log line that quotes JSON, an SSE line, a body cut short): a literal never spans
lines, and one without its closing quote ends with the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial

from masking.offsets import Encoded, OffsetMap, Offsets

_JSON = json.JSONDecoder(strict=False)
_SCAN: Callable[[str, int, bool], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]
LITERAL = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n))', re.DOTALL)
_NEXT_ESCAPED = re.compile(rf'[^"]*+(?:"[^"\\\n]*+"[^"]*+){{0,1000}}+({LITERAL.pattern})?', re.DOTALL)
"""A literal that may hold an escape, and before it those that hold none: one call for a thousand of them. In one for
all, other threads would have to wait."""
_ESCAPE = re.compile(
    r"(\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.))", re.DOTALL
)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def escaped_literals(view: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the *content* of each string literal that holds a backslash."""
    for match in _NEXT_ESCAPED.finditer(view):
        start, end = match.span(1)
        if start < end and view.find("\\", start, end) >= 0:
            closed = end - start > 1 and view[end - 1] == '"'
            yield start + 1, end - 1 if closed else end


def decoded_literals(view: str) -> list[tuple[int, int, str]] | None:
    """What `escaped_literals` gives, each with its decoded content, by the scanner of the standard library: several
    times as fast. None where it does not read alike: not ASCII, lines, long, an end or an escape that JSON does not
    have.
    """
    if len(view) > _PIECE or "\n" in view or not view.isascii():
        return None
    found = []
    quote = view.find('"')
    try:
        while quote >= 0:
            plain, end = _SCAN(view, quote + 1, False)
            if len(plain) != end - quote - 2:
                found.append((quote + 1, end - 1, plain if plain.isascii() else _view(plain)))
            quote = view.find('"', end)
    except ValueError:
        return None
    return found


def decode(raw: str) -> str:
    """The view that a literal's content stands for. Unknown escapes stand for their own character."""
    if len(raw) > 2 * _PIECE:
        return "".join(map(_decoded, _pieces(raw)))
    return _decoded(raw)


def _decoded(raw: str) -> str:
    if raw.isascii():
        try:
            text = str(_JSON.decode(f'"{raw}"'))
        except ValueError:
            return _ESCAPE.sub(_of_match, raw)
        return text if text.isascii() else _view(text)
    return _ESCAPE.sub(_of_match, raw)


def _view(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


_PIECE = 1_000_000
"""Characters that are decoded at once: no other thread runs meanwhile, so the time for it has to be short."""
_LONGEST, _TRIED = 12, 10_000


def _pieces(raw: str) -> Iterator[str]:
    """Cut where no escape and no pair of them is near; the rest whole where escapes stand too close for that."""
    begin = 0
    while len(raw) - begin > 2 * _PIECE:
        places = range(begin + _PIECE, begin + _PIECE + _TRIED)
        end = next((place for place in places if "\\" not in raw[place - _LONGEST : place]), 0)
        if not end:
            break
        yield raw[begin:end]
        begin = end
    yield raw[begin:]


def _of_match(match: re.Match[str]) -> str:
    return _unescape(match.group())


def _width(escape: str) -> int:
    return len(_unescape(escape))


def _unescape(escape: str) -> str:
    if escape[1] != "u" or len(escape) < 6:
        return _SIMPLE.get(escape[1], escape[1])
    if len(escape) == 6:
        character = chr(int(escape[2:], 16))
    else:
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        character = chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return _view(character)


def offsets(raw: str, plain: str | None = None) -> Offsets:
    """From offsets in `plain`, the decoded content of a literal, to those in its raw content."""
    if plain is not None and len(raw) <= _PIECE:
        return Encoded(raw, plain, partial(OffsetMap, raw, _ESCAPE, _width))
    return OffsetMap(raw, _ESCAPE, _width)


def escape(text: str) -> str:
    """`text` as it has to be written inside a JSON string literal (only quotes and backslashes occur)."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
