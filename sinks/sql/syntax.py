"""A statement as the engine itself understands it: the tree that EXPLAIN AST prints, one node a line. Pure.

Nobody else's parser reads ClickHouse's SQL exactly as ClickHouse does, and what two parsers read differently is a way
in. Source of the form: ClickHouse, src/Parsers/IAST.h (dumpTree) and the `getID` of each node.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(
    r"(?P<indent> *)(?P<kind>[A-Za-z]+(?:::[A-Za-z]+)?)(?: (?P<rest>[^\x00-\x1f\x7f]*?))??"
    r"(?: \(alias [^\x00-\x1f\x7f]*\))?(?: \(children \d+\))?"
)


class UnreadableError(ValueError):
    """A line that is no node: a name with a line break inside, or a form this version does not know."""


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is the engine's class of node, `name` what it carries: a function, a table, a column, a literal."""

    depth: int
    kind: str
    name: str


def nodes_of(lines: Iterable[str]) -> list[Node]:
    """The nodes in order, each parent before its children. Raises UnreadableError."""
    return [_node(line) for line in lines if line]


def _node(line: str) -> Node:
    match = _LINE.fullmatch(line)
    if match is None:
        raise UnreadableError(line)
    return Node(len(match["indent"]), match["kind"], match["rest"] or "")
