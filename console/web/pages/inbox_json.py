"""JSON for eyes: indented, and otherwise exactly what was written. Pure.

Members that are there twice stay there twice, numbers keep their digits, and what is no JSON is shown as it came:
who approves a call sees the call, not what a parser made of it.
"""

import json
from collections.abc import Iterator
from typing import Any

CHARACTERS_MAX = 200_000
INDENT = "  "
_ESCAPED = json.encoder.JSONEncoder(ensure_ascii=False)


class _Pairs(list[tuple[str, Any]]):
    """An object's members, in order, with those that are named twice."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def pretty(text: str) -> str:
    """`text` indented by two spaces a level; as it is where it is no JSON, nested too deeply, or very long."""
    if len(text) > CHARACTERS_MAX:
        return text
    try:
        value = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_Number
        )
        return "".join(_written(value, "\n"))
    except (ValueError, RecursionError):
        return text


def _written(value: Any, line: str) -> Iterator[str]:
    """`line` is a line break and the indentation of where `value` begins."""
    if isinstance(value, _Number):
        yield str(value)
    elif isinstance(value, _Pairs):
        yield from _listed("{}", ((f"{_ESCAPED.encode(name)}: ", inner) for name, inner in value), line)
    elif isinstance(value, list):
        yield from _listed("[]", (("", inner) for inner in value), line)
    else:
        yield _ESCAPED.encode(value)


def _listed(brackets: str, items: Iterator[tuple[str, Any]], line: str) -> Iterator[str]:
    yield brackets[0]
    before, inner = "", line + INDENT
    for head, value in items:
        yield f"{before}{inner}{head}"
        yield from _written(value, inner)
        before = ","
    yield f"{line if before else ''}{brackets[1]}"
