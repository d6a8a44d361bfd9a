"""A policy file's YAML as plain values, with the place in the file of every key, value and character of text.

Narrower than YAML, on purpose: the scalars are those of JSON (`yes` is text), a key stands once, and there are no
anchors, aliases, merges or tags. What a reader sees is what the gateway sees.
"""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from gateway.policy.problems import Problem

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
Loc: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}
_QUOTING = re.compile(r"\s*(?:-\s+)?when:\s*[\"'\[{!&*%@`]")
_QUOTING_HINT = (
    "; a condition that begins with a quote, a bracket or `!` is written on its own line after `when: |`"
)
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)", re.DOTALL)


@dataclass(slots=True)
class Document:
    """What the file says (`value`), where each thing stands, and what is wrong already."""

    lines: list[str]
    value: Value = None
    nodes: dict[Loc, yaml.Node] = field(default_factory=dict)
    keys: dict[Loc, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def fault(self, loc: Loc, text: str, *, key: bool = False) -> None:
        """Notes a problem at the value at `loc`, or at its key."""
        self.problems.append(Problem(*self.place(loc, key=key), text))

    def place(self, loc: Loc, *, key: bool = False) -> Place:
        """(line, column) of the value at `loc`, or of its key; of the nearest thing around it when absent."""
        if key and loc in self.keys:
            return self.keys[loc]
        while loc and loc not in self.nodes:
            loc = loc[:-1]
        return _place(self.nodes[loc]) if loc in self.nodes else (1, 1)

    def place_within(self, loc: Loc, offset: int) -> Place:
        """Where character `offset` of the text at `loc` stands; the text's beginning where it cannot be told."""
        node = self.nodes.get(loc)
        if not isinstance(node, yaml.ScalarNode):
            return self.place(loc)
        if node.style in ("|", ">"):
            return self._within_block(node, offset)
        start, end = node.start_mark, node.end_mark
        if start.line != end.line:
            return self._within_lines(node, offset, start.line, end.line, start.column)
        raw = self.lines[start.line][start.column : end.column]
        return start.line + 1, start.column + 1 + _raw_offset(raw, node.style, offset)

    def _within_block(self, node: yaml.ScalarNode, offset: int) -> Place:
        first, last = node.start_mark.line + 1, node.end_mark.line
        if node.style == ">":
            return self._within_lines(node, offset, first, last, 0)
        before = node.value[:offset].split("\n")
        indents = [len(line) - len(line.lstrip(" ")) for line in self.lines[first:last] if line.strip()]
        return first + len(before), min(indents, default=0) + len(before[-1]) + 1

    def _within_lines(self, node: yaml.ScalarNode, offset: int, first: int, last: int, column: int) -> Place:
        """In text whose lines YAML joined by one space each; given up where it did more than that."""
        pieces: list[tuple[int, int, str]] = []
        for number in range(first, min(last + 1, len(self.lines))):
            line = self.lines[number]
            start = column if number == first else 0
            text = line[start:]
            indent = len(text) - len(text.lstrip(" "))
            if text.strip():
                pieces.append((number, start + indent, text.strip()))
        joined = " ".join(text for _, _, text in pieces)
        if not joined.startswith(node.value.rstrip("\n")):
            return _place(node)
        for number, start, text in pieces:
            if offset <= len(text):
                return number + 1, start + 1 + offset
            offset -= len(text) + 1
        return _place(node)


def parse(text: str) -> Document:
    """Reads YAML. Faults are in `problems`; nothing is raised."""
    document = Document(text.splitlines())
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax_problem(document, error))
    except yaml.YAMLError as error:
        document.problems.append(Problem(0, 0, f"is not YAML: {error}".replace("\n", " ")))
    except RecursionError:
        document.problems.append(Problem(0, 0, "is nested too deep to be a policy"))
    else:
        if root is not None:
            document.value = _read(document, root, ())
    return document


class _Loader(yaml.SafeLoader):
    """Composes nodes without guessing types, and refuses aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's way)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not read here; write it out", mark)
        return super().compose_node(parent, index)


def _read(document: Document, node: yaml.Node, loc: Loc) -> Value:
    document.nodes[loc] = node
    start = node.start_mark
    written = document.lines[start.line][start.column :] if start.line < len(document.lines) else ""
    if written.startswith(
        ("!", "&")
    ):  # YAML takes `! x` for x with a tag: the negation would be lost in silence
        hint = _QUOTING_HINT if loc[-1:] == ("when",) else "; remove it"
        document.fault(loc, f"a value that begins with `{written[0]}` is a tag or anchor to YAML{hint}")
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, loc)
    if isinstance(node, yaml.SequenceNode):
        return [_read(document, item, (*loc, index)) for index, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    text: str = node.value
    return _plain(text) if node.style is None else text


def _mapping(document: Document, node: yaml.MappingNode, loc: Loc) -> Value:
    found: dict[str, Value] = {}
    for key_node, value_node in node.value:
        key, place = key_node.value, _place(key_node)
        if not isinstance(key, str):
            document.problems.append(Problem(*place, "a key must be plain text"))
        elif key in found:
            first = document.keys[(*loc, key)][0]
            text = f"`{key}` stands here a second time (first on line {first}); keep one"
            document.problems.append(Problem(*place, text))
        else:
            document.keys[(*loc, key)] = place
            found[key] = _read(document, value_node, (*loc, key))
    return found


def _plain(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _raw_offset(raw: str, style: str | None, offset: int) -> int:
    """How far into `raw`, as the file has it, the character `offset` of its value stands."""
    if style is None:
        return offset
    at = 1  # the opening quote
    for _ in range(offset):
        if style == "'" and raw.startswith("''", at):
            at += 2
        elif style == '"' and (escape := _ESCAPE.match(raw, at)):
            at = escape.end()
        else:
            at += 1
    return at


def _syntax_problem(document: Document, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    text = "is not YAML: " + ", ".join(part for part in (error.context, error.problem) if part)
    if not mark:
        return Problem(0, 0, text)
    if mark.line < len(document.lines) and _QUOTING.match(document.lines[mark.line]):
        text += _QUOTING_HINT
    return Problem(mark.line + 1, mark.column + 1, text)
