"""A file of rules as plain values that know their place, and what is wrong with it: `file:line:column: text`.

A narrow YAML: scalars as in JSON, no key twice, no aliases.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

import yaml

DEPTH_MAX = 20


class Problem(NamedTuple):
    """One fault; line and column count from 1."""

    line: int
    column: int
    text: str


class RulesError(Exception):
    """A file of rules that is not used. Its text has a line for each problem, in the order of the file."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{file}:{line}:{column}: {text}" for line, column, text in self.problems))


@dataclass(slots=True)
class Spot:
    """A value of the file, and the list that problems with it go to."""

    node: yaml.Node
    problems: list[Problem]
    used: set[str] = field(default_factory=set)

    def fault(self, text: str) -> None:
        """Note that something is wrong here."""
        mark = self.node.start_mark
        self.problems.append(Problem(mark.line + 1, mark.column + 1, text))

    def value(self) -> str | int | float | bool | None:
        """The scalar; None for anything else."""
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        return self.node.value if self.node.style else plain(self.node.value)

    def text(self, told: str) -> str:
        """Text that is not empty; '' after a fault that says it must be `told`."""
        value = self.value()
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.fault(f"must be {told}")
        return ""

    def number(self, least: float, told: str) -> float:
        """A number of at least `least`; that, after a fault."""
        value = self.value()
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= least:
            return value
        self.fault(f"must be {told}")
        return least

    def items(self) -> list["Spot"]:
        """The members of a list; a single value is a list of one."""
        if isinstance(self.node, yaml.SequenceNode):
            return [Spot(each, self.problems) for each in self.node.value]
        return [self]

    def fields(self, known: Iterable[str] | None = None) -> dict[str, "Spot"]:
        """The members of a mapping by key, with a fault for what is none, twice, or not among `known`."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fault("must be a mapping: `key: value`")
            return {}
        found: dict[str, Spot] = {}
        names = None if known is None else set(known)
        for key, spot in self._pairs():
            if key in found:
                spot.fault(f"`{key}` stands here a second time; keep one")
            elif names is not None and key not in names:
                spot.fault(f"`{key}` is not known here{did_you_mean(key, names)}")
            found[key] = spot
        return found

    def _pairs(self) -> Iterator[tuple[str, "Spot"]]:
        for key, value in self.node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, Spot(value, self.problems)
            else:
                Spot(key, self.problems).fault("a key must be plain text")


def parse(text: str, file: str) -> Spot:
    """The value of a whole file. Raises RulesError for what is no YAML."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise RulesError(file, [Problem(line, column, f"is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RulesError(file, [Problem(1, 1, f"is not YAML: {type(error).__name__}")]) from None
    if root is None:
        raise RulesError(file, [Problem(1, 1, "is empty; a file of rules begins with `rules:`")])
    return Spot(root, [])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or the words there are when none is close."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(names)}"


def plain(text: str) -> str | int | float | bool | None:
    """What a scalar without quotes means: as in JSON, anything else is text."""
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "null", "~"):
        return None
    for number in (int, float):
        if text[-1].isdigit() and text.lstrip("-")[:1].isdigit() and "_" not in text:
            try:
                return number(text)
            except ValueError:
                continue
    return text


class _Loader(yaml.SafeLoader):
    """Composes nodes without guessing types, and refuses aliases."""

    yaml_implicit_resolvers: dict[str, list[object]] = {}  # noqa: RUF012 - PyYAML's own way

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "no aliases here; write it out", mark)
        return super().compose_node(parent, index)
