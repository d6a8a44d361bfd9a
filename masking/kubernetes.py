"""Kubernetes Secrets: every value under `data` and `stringData`, whatever its key is called.

Two readers, for JSON (braces) and for YAML (indentation). Both work on fragments: an SSE line, a log line, a body that
was cut short, many documents in one text. Both know Lists, and `SecretList`, whose items have no kind of their own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from masking.found import Found
from masking.literals import decode
from masking.pseudonym import is_masked
from masking.records import LimitCrossed

RULE = "kubernetes-secret"
KIND = "k8s-secret"
_TOKEN = re.compile(
    r'(?P<text>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n)))(?P<colon>\s*+:)?|[{}\[\]]', re.DOTALL
)
_MAPS = frozenset({"data", "stringData"})
_KINDS = frozenset({"Secret", "SecretList"})


DEPTH_MAX = 1000
"""Open objects and arrays, one in the other."""


@dataclass(slots=True)
class _Object:
    """One open object or array. Its string values are `leaves[first:]`; `granted` are ranges under its data maps."""

    name: str
    within: bool
    first: int
    kind: str = ""
    key: str = ""
    granted: list[tuple[int, int]] = field(default_factory=list)


def in_json(view: str) -> list[Found]:
    """The Secret values of all JSON in this view. Raises LimitCrossed where it is nested too deep."""
    leaves: list[tuple[int, int]] = []
    ranges: list[tuple[int, int]] = []
    stack: list[_Object] = []
    for match in _TOKEN.finditer(view):
        character = view[match.start()]
        if character == '"':
            if stack:
                _take(stack[-1], view, match, leaves)
        elif character in "{[":
            stack.append(_opened(stack, len(leaves)))
        elif stack:
            _close(stack, ranges, len(leaves))
    while stack:
        _close(stack, ranges, len(leaves))
    spans = [span for first, last in ranges for span in leaves[first:last]]
    return [found for span in spans if (found := _found(view, *span))]


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
    stop = end - 1 if view[end - 1] == '"' and end - start > 1 else end
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


_YAML_KIND = re.compile(
    r"""^(?P<indent>[ ]*(?:-[ ]+)*)["']?kind["']?[ ]*:[ ]*["']?(?P<kind>Secret|SecretList)["']?[ ]*(?:#.*)?\r?$""",
    re.MULTILINE,
)
_YAML_MAP = re.compile(r"""^([ ]*(?:-[ ]+)*)["']?(?:data|stringData)["']?[ ]*:[ ]*(?:#.*)?\r?$""")
_YAML_ENTRY = re.compile(
    r"""(?P<indent>[ ]*)(?P<key>"[^"]*"|'[^']*'|[^\s:#"'][^:#]*?)[ ]*:(?:[ ]+(?P<value>\S.*?))?[ ]*\r?$"""
)
_TEMPLATE = re.compile(r"\s*(?:\{\{.*|\$\{[^{}]*\}|\$\([A-Z_]+\)|<[^<>]*>)\s*\Z", re.DOTALL)
_BLOCK = re.compile(r"[|>][-+0-9]*$")


def in_yaml(view: str) -> list[Found]:
    """The Secret values of all YAML documents in this view."""
    found: list[Found] = []
    done: dict[int, tuple[int, bool]] = {}
    for match in _YAML_KIND.finditer(view):
        indent, anywhere = len(match["indent"]), match["kind"] == "SecretList"
        end, did_anywhere = done.get(indent, (0, False))
        if match.start() < end and (did_anywhere or not anywhere):
            continue  # a mapping is read once, however often it names its kind
        first, last = _siblings(view, match.start(), indent)
        done[indent] = (last, anywhere)
        found += _yaml_maps(view, first, last, indent, anywhere=anywhere)
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _key_indent(line: str) -> int:
    """The column of the key, behind any list dashes."""
    return len(line) - len(line.lstrip(" -"))


def _lines(view: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    while start < end:
        stop = view.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, view[start:stop]
        start = stop + 1


def _siblings(view: str, at: int, indent: int) -> tuple[int, int]:
    """(start, end) of the mapping that the line at `at` belongs to."""
    first = at
    while first > 0 and not _opens(view[first : view.find("\n", first) % (len(view) + 1)], indent):
        start = view.rfind("\n", 0, first - 1) + 1
        line = view[start : first - 1]
        if _outside(line, indent):
            break
        first = start
    last = len(view)
    for start, line in _lines(view, at, len(view)):
        if start > at and (_outside(line, indent) or _opens(line, indent)):
            last = start
            break
    return first, last


def _opens(line: str, indent: int) -> bool:
    """Whether the list item whose keys stand at `indent` begins on this line."""
    return indent > 0 and _key_indent(line) == indent and "-" in line[:indent]


def _outside(line: str, indent: int) -> bool:
    return bool(line.strip()) and (_key_indent(line) < indent or line.startswith(("---", "...")))


def _yaml_maps(view: str, first: int, last: int, indent: int, *, anywhere: bool) -> Iterator[Found]:
    """The entries of each data map among these lines."""
    depth = -1
    lines = list(_lines(view, first, last))
    index = 0
    while index < len(lines):
        line = lines[index][1]
        if depth >= 0 and line.strip():
            if _indent(line) > depth:
                stop = _entry_end(lines, index)
                found = _entry(view, lines[index:stop])
                index = stop
                if found:
                    yield found
                continue
            depth = -1
        head = _YAML_MAP.match(line)
        if head and (anywhere or len(head[1]) == indent):
            depth = len(head[1])
        index += 1


def _entry_end(lines: list[tuple[int, str]], index: int) -> int:
    """The line behind the entry that begins here: deeper and empty lines are its own."""
    depth = _indent(lines[index][1])
    index += 1
    while index < len(lines) and (not lines[index][1].strip() or _indent(lines[index][1]) > depth):
        index += 1
    return index


def _entry(view: str, lines: list[tuple[int, str]]) -> Found | None:
    """The value of one `key: value` entry, which may go on over the following lines."""
    start, line = lines[0]
    match = _YAML_ENTRY.match(line)
    if match is None:
        return None
    body = [item for item in lines[1:] if item[1].strip()]
    last, text = body[-1] if body else lines[0]
    end = last + len(text.rstrip())
    value = match["value"]
    if value is not None and not _BLOCK.match(value):
        return yaml_scalar(view, start + match.start("value"), end)
    return _found(view, body[0][0] + _indent(body[0][1]), end) if body else None


def yaml_scalar(view: str, start: int, end: int) -> Found | None:
    """The scalar here, quoted or plain; a plain one gets quotes, since `[` begins a list in YAML."""
    quote = view[start]
    if quote in "\"'" and end - start > 1 and view[end - 1] == quote:
        return _found(view, start + 1, end - 1)
    found = _found(view, start, end)
    return found and found._replace(lead="'", trail="'")


def _found(view: str, start: int, end: int) -> Found | None:
    raw = view[start:end]
    if not raw.strip() or is_masked(raw) or _TEMPLATE.match(raw):
        return None
    return Found(start, end, RULE, KIND, plain(decode(raw) if "\\" in raw else raw))


def plain(value: str) -> str:
    """The secret behind a `data` value: decoded, so that it has the same pseudonym wherever it stands."""
    try:
        return base64.b64decode(value, validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return value
