"""Kubernetes Secrets in JSON: objects of this kind, alone, in lists, in watch events, anywhere in a text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any

from masking.records import LimitCrossed

_TOKEN = re.compile(
    r'(?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n)))(?P<colon>\s*+:)?|([{}\[\]])', re.DOTALL
)
_PYTHON_TOKEN = re.compile(
    r"""(?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n))|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+(?:'|$|(?=\n)))"""
    r"""(?P<colon>\s*+:)?|([{}\[\]])""",
    re.DOTALL,
)
_PLAIN_STRING = re.compile(r'"([^"]*+)"')
_PYTHON_KIND = re.compile(r"'kind'\s*:\s*'Secret")
_MAPS = frozenset({"data", "stringData", "string_data"})
_KINDS = frozenset({"Secret", "SecretList"})
_CONTAINERS = frozenset({tuple, list})


DEPTH_MAX = 1000
"""Open objects and arrays, one in the other."""


@dataclass(slots=True)
class _Object:
    """One open object or array. Its string values are `leaves[first:]`, numbers of tokens; `granted` are ranges of
    them under its data maps.
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
    found = _in_document(view)
    if found is None:
        found = _values(view, _TOKEN) if 'kind"' in view else []
    if "'kind'" in view and _PYTHON_KIND.search(view):
        # Once as it stands, and once as if it stood in a string, whose quotes do not count then.
        found += _values(view, _PYTHON_TOKEN) + _values(view.replace('"', " "), _PYTHON_TOKEN)
    return found


_PARSER = json.JSONDecoder(object_pairs_hook=tuple)


def _in_document(view: str) -> list[tuple[int, int]] | None:
    """The same by the parser of the standard library, several times as fast: where all of the view is one document
    without any escape, and its values occur nowhere else in it. None where that is not so.
    """
    if "\\" in view or view[:1] not in ("{", "["):
        return None
    secret: list[str] = []
    try:
        _visit(_PARSER.decode(view), "", within=False, secret=secret)
    except (ValueError, RecursionError):
        return None
    return _standing(view, secret) if secret else []


def _standing(view: str, secret: list[str]) -> list[tuple[int, int]] | None:
    """Where these strings stand, in one pass; None where one of them stands elsewhere too, perhaps as no secret."""
    known = set(secret)
    found = [match.span(1) for match in _PLAIN_STRING.finditer(view) if match[1] in known]
    return found if len(found) == len(secret) else None


def _visit(node: Any, name: str, *, within: bool, secret: list[str]) -> tuple[list[str], list[str]]:
    """The string values of this node if it is within a data map, and what it grants to the object around it."""
    within = within or name in _MAPS
    kind, leaves, granted = "", [], []
    for key, value in node if type(node) is tuple else zip(repeat(""), node):
        if type(value) is str:
            if within:
                leaves.append(value)
            if key == "kind":
                kind = value
        elif type(value) in _CONTAINERS:
            below, up = _visit(value, key, within=within, secret=secret)
            leaves += below
            granted += up
    if kind in _KINDS:
        secret += granted
    if kind:
        granted = []
    return leaves, granted + leaves if name in _MAPS else granted


def _values(view: str, token: re.Pattern[str]) -> list[tuple[int, int]]:
    """Reads all tokens in one call, and asks where they stand only if there is a Secret among them."""
    leaves: list[int] = []
    ranges: list[tuple[int, int]] = []
    stack: list[_Object] = []
    for index, (text, colon, bracket) in enumerate(token.findall(view)):
        if text:
            if stack:
                _take(stack[-1], text, colon, index, leaves)
        elif bracket in "{[":
            stack.append(_opened(stack, len(leaves)))
        elif stack:
            _close(stack, ranges, len(leaves))
    while stack:
        _close(stack, ranges, len(leaves))
    if not ranges:
        return []
    return _places(view, token, [leaf for first, last in ranges for leaf in leaves[first:last]])


def _places(view: str, token: re.Pattern[str], wanted: list[int]) -> list[tuple[int, int]]:
    """The contents of the tokens with these numbers, in their order."""
    found: list[tuple[int, int]] = []
    done, matches = 0, token.finditer(view)
    for number in sorted(set(wanted)):
        match = next(islice(matches, number - done, None))
        done = number + 1
        found.append(_inner(view, *match.span(1)))
    return found


def _inner(view: str, start: int, end: int) -> tuple[int, int]:
    """The content of a string: without its quotes, of which the second may be missing."""
    return start + 1, end - 1 if end - start > 1 and view[end - 1] == view[start] else end


def _opened(stack: list[_Object], first: int) -> _Object:
    if not stack:
        return _Object("", within=False, first=first)
    if len(stack) >= DEPTH_MAX:
        raise LimitCrossed(f"JSON is nested more than {DEPTH_MAX} levels deep; nothing of it passes")
    parent = stack[-1]
    name, parent.key = parent.key, ""
    return _Object(name, within=parent.within or name in _MAPS, first=first)


def _take(top: _Object, text: str, colon: str, index: int, leaves: list[int]) -> None:
    """A key waits for its value; a value is a leaf, or the kind of the object."""
    if colon:
        top.key = _content(text)
        return
    if top.within:
        leaves.append(index)
    if top.key == "kind":
        top.kind = _content(text)


def _content(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[-1] == text[0] else text[1:]


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
