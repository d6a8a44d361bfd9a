"""YAML text to plain values, with the place of every key and value kept beside them.

Narrower than YAML, on purpose: the scalars are those of JSON (so `yes` is text and `12:30` is not a number), a key
stands once, and there are no anchors, aliases, merges or tags. What a reader sees is what Sluicegate sees.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from sluicegate.settings.errors import Problem

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
Loc: TypeAlias = tuple[str | int, ...]

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")}


@dataclass(slots=True)
class Document:
    """What the file says (`value`), where each key and value stands (from 1), and what is wrong already."""

    value: Value = None
    values: dict[Loc, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Loc, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, loc: Loc, *, key: bool = False) -> tuple[int, int]:
        """(line, column) of the value at `loc`, or of its key; of the nearest thing around it when absent."""
        if key and loc in self.keys:
            return self.keys[loc]
        while loc not in self.values and loc:
            loc = loc[:-1]
        return self.values.get(loc, (1, 1))


def parse(text: str, environ: Mapping[str, str]) -> Document:
    """Reads YAML `text`, with `${NAME}` taken from `environ`. Faults are in `problems`; nothing is raised."""
    document = Document()
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax_problem(error))
    except yaml.YAMLError as error:
        document.problems.append(Problem(0, 0, f"is not YAML: {error}".replace("\n", " ")))
    except RecursionError:
        document.problems.append(Problem(0, 0, "is nested too deep to be a configuration"))
    else:
        if root is not None:
            document.value = _Reader(document, environ).read(root, ())
    return document


class _Loader(yaml.SafeLoader):
    """Composes nodes without guessing types, and refuses aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's way)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not read here; write it out", mark)
        return super().compose_node(parent, index)


class _Reader:
    """Walks the nodes of one document and fills its places."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ

    def read(self, node: yaml.Node, loc: Loc) -> Value:
        place = _place(node)
        self._document.values[loc] = place
        if node.tag not in _PLAIN_TAGS:
            self._fault(place, f"the tag {node.tag} is not read here; remove it")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*loc, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> Value:
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key, place = key_node.value, _place(key_node)
            if not isinstance(key, str):
                self._fault(place, "a key must be plain text")
                continue
            if key in found:
                first = self._document.keys[(*loc, key)][0]
                self._fault(place, f"`{key}` stands here a second time (first on line {first}); keep one")
                continue
            self._document.keys[(*loc, key)] = place
            found[key] = self.read(value_node, (*loc, key))
        return found

    def _scalar(self, node: yaml.ScalarNode, place: tuple[int, int]) -> Value:
        text: str = node.value
        if node.style is None and "${" not in text:
            return _plain(text)
        return _REFERENCE.sub(lambda match: self._reference(match, place), text)

    def _reference(self, match: re.Match[str], place: tuple[int, int]) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1]
        if not match[2] or not _NAME.fullmatch(name):
            self._fault(place, "a reference is written ${NAME}, with $${ for the two characters themselves")
        elif not self._environ.get(name):
            self._fault(
                place, f"the environment variable {name} is not set; set it before starting Sluicegate"
            )
        return self._environ.get(name, "")

    def _fault(self, place: tuple[int, int], text: str) -> None:
        self._document.problems.append(Problem(*place, text))


def _plain(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    text = "is not YAML: " + ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(mark.line + 1, mark.column + 1, text) if mark else Problem(0, 0, text)
