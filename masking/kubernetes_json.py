"""Kubernetes Secrets in JSON: objects of this kind, alone, in lists, in watch events, anywhere in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from masking.records import LimitCrossed

_TOKEN = re.compile(
    r'(?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n)))(?P<colon>\s*+:)?|[{}\[\]]', re.DOTALL
)
_PYTHON_TOKEN = re.compile(
    r"""(?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n))|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+(?:'|$|(?=\n)))"""
    r"""(?P<colon>\s*+:)?|[{}\[\]]""",
    re.DOTALL,
)
_PYTHON_KIND = re.compile(r"'kind'\s*:\s*'Secret")
_MAPS = frozenset({"data", "stringData", "string_data"})
_KINDS = frozenset({"Secret", "SecretList"})


DEPTH_MAX = 1000
"""Open objects and arrays, one in the other."""


@dataclass(slots=True)
class _Object:
    """One open object or array. Its string values are `leaves[first:]`; `granted` are ranges under its
    data maps.
    """

    name: str
    within: bool
    first: int
    kind: str = ""
    key: str = ""
    granted: list[tuple[int, int]] = field(default_factory=list)


def values(view: str) -> list[tuple[int, int]]:
    """(start, end) of the Secret values of all JSON in this view, and of the same as Python prints it.

    Raises LimitCrossed where it is nested too deep.
    """
    found = _values(view, _TOKEN)
    if _PYTHON_KIND.search(view):
        # Once as it stands, and once as if it stood in a string, whose quotes do not count then.
        found += _values(view, _PYTHON_TOKEN) + _values(view.replace('"', " "), _PYTHON_TOKEN)
    return found


def _values(view: str, token: re.Pattern[str]) -> list[tuple[int, int]]:
    leaves: list[tuple[int, int]] = []
    ranges: list[tuple[int, int]] = []
    stack: list[_Object] = []
    for match in token.finditer(view):
        character = view[match.start()]
        if character in "\"'":
            if stack:
                _take(stack[-1], view, match, leaves)
        elif character in "{[":
            stack.append(_opened(stack, len(leaves)))
        elif stack:
            _close(stack, ranges, len(leaves))
    while stack:
        _close(stack, ranges, len(leaves))
    return [span for first, last in ranges for span in leaves[first:last]]


def _opened(stack: list[_Object], first: int) -> _Object:
    if not stack:
        return _Object("", within=False, first=first)
    if len(stack) >= DEPTH_MAX:
        raise LimitCrossed(f"JSON is nested more than {DEPTH_MAX} levels deep; nothing of it passes")
    parent = stack[-1]
    name, parent.key = parent.key, ""
    return _Object(name, within=parent.within or name in _MAPS, first=first)


def _take(top: _Object, view: str, match: re.Match[str], leaves: list[tuple[int, int]]) -> None:
    """A key waits for its value; a value is a leaf, or the kind of the object."""
    start, end = match.span("text")
    stop = end - 1 if view[end - 1] == view[start] and end - start > 1 else end
    if match["colon"]:
        top.key = view[start + 1 : stop]
        return
    if top.within:
        leaves.append((start + 1, stop))
    if top.key == "kind":
        top.kind = view[start + 1 : stop]


def _close(stack: list[_Object], ranges: list[tuple[int, int]], last: int) -> None:
    """End the innermost object: what it grants is secret if its kind, or the kind of its list, says so."""
    done = stack.pop()
    if done.kind in _KINDS:
        ranges += done.granted
    if not stack:
        return
    parent = stack[-1]
    if done.name in _MAPS and last > done.first:
        parent.granted.append((done.first, last))
    if not done.kind:
        parent.granted += done.granted
