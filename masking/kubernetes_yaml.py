"""Kubernetes Secrets in YAML, by indentation: documents, items of lists, block scalars, values over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

_YAML_KIND = re.compile(
    r"""^(?P<indent>[ ]*(?:-[ ]+)*)["']?kind["']?[ ]*:[ \t]*["']?(?P<kind>Secret|SecretList)["']?[ ]*(?:#.*)?\r?$""",
    re.MULTILINE,
)
_YAML_MAP = re.compile(r"""^([ ]*(?:-[ ]+)*)["']?(?:data|stringData)["']?[ ]*:[ ]*(?:#.*)?\r?$""")
_YAML_FLOW = re.compile(r"""^([ ]*(?:-[ ]+)*)["']?(?:data|stringData)["']?[ ]*:[ ]*\{""")
_FLOW_ENTRY = re.compile(r"""["']?[\w./-]+["']?[ ]*:[ ]*("[^"\n]*"|'[^'\n]*'|[^,}\s][^,}\n]*)""")
_YAML_ENTRY = re.compile(
    r"""(?P<indent>[ ]*)(?P<key>"[^"]*"|'[^']*'|[^\s:#"'][^:#]*?)[ ]*:(?:[ ]+(?P<value>\S.*?))?[ ]*\r?$"""
)
_BLOCK = re.compile(r"[|>][-+0-9]*$")


def values(view: str, kinds: list[int]) -> list[tuple[int, int]]:
    """(start, end) of the Secret values of all YAML documents in this view: scalars with their quotes, and blocks.

    `kinds` are offsets, ascending, on the lines that may say `kind: Secret`.
    """
    found: list[tuple[int, int]] = []
    done: dict[int, tuple[int, bool]] = {}
    for begin in dict.fromkeys(view.rfind("\n", 0, place) + 1 for place in kinds):
        match = _YAML_KIND.match(view, begin)
        if match is None:
            continue
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


def _yaml_maps(view: str, first: int, last: int, indent: int, *, anywhere: bool) -> Iterator[tuple[int, int]]:
    """The entries of each data map among these lines."""
    depth = -1
    lines = list(_lines(view, first, last))
    index = 0
    while index < len(lines):
        line = lines[index][1]
        if depth >= 0 and line.strip():
            if _indent(line) > depth:
                stop = _entry_end(lines, index)
                found = _entry(lines[index:stop])
                index = stop
                if found:
                    yield found
                continue
            depth = -1
        flow = _YAML_FLOW.match(line)
        if flow and (anywhere or len(flow[1]) == indent):
            yield from _flow(lines[index][0] + flow.end(), line[flow.end() :])
        head = _YAML_MAP.match(line)
        if head and (anywhere or len(head[1]) == indent):
            depth = len(head[1])
        index += 1


def _flow(start: int, text: str) -> Iterator[tuple[int, int]]:
    """The values of a mapping in braces on one line."""
    for match in _FLOW_ENTRY.finditer(text):
        yield start + match.start(1), start + match.start(1) + len(match[1].rstrip())


def _entry_end(lines: list[tuple[int, str]], index: int) -> int:
    """The line behind the entry that begins here: deeper and empty lines are its own."""
    depth = _indent(lines[index][1])
    index += 1
    while index < len(lines) and (not lines[index][1].strip() or _indent(lines[index][1]) > depth):
        index += 1
    return index


def _entry(lines: list[tuple[int, str]]) -> tuple[int, int] | None:
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
        return start + match.start("value"), end
    return (body[0][0] + _indent(body[0][1]), end) if body else None
