"""Which facts a condition looks at, and for which tools and methods alone it can hold: read off its tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.policy.names import FACTS, OPEN, VARIABLES
from gateway.policy.syntax import Node, flattened

Path: TypeAlias = tuple[str, ...]
GROUPS: Final = ("principal", "groups")


@dataclass(frozen=True, slots=True)
class Needs:
    """`paths`: `(tool, name)`; `(tool, arguments, KEY)`, or `(tool, arguments)` where all of them are looked at.

    `tools` and `methods`: the condition is false for a call of any other tool, of any other MCP method.
    `functions`: those of ours that it calls.
    """

    paths: frozenset[Path]
    tools: frozenset[str] | None
    methods: frozenset[str] | None
    functions: frozenset[str]


def needs_of(tree: Node) -> Needs:
    """What the condition needs to be computed."""
    conjuncts = flattened(tree, "&&")
    return Needs(
        frozenset(_paths(tree)),
        _only(conjuncts, ("tool", "name")),
        _only(conjuncts, ("mcp", "method")),
        frozenset(node.name for node in tree.walk() if node.kind == "call"),
    )


def _paths(node: Node) -> Iterator[Path]:
    path = _tested_key(node) or path_of(node)
    if path is None:
        for part in node.parts:
            yield from _paths(part)
        return
    yield from _settled(path)


def _settled(path: Path) -> Iterator[Path]:
    """`path` cut to what is put before a condition at once: a field, a key of an open map, or a whole fact."""
    if path[:1] in OPEN or path[:1] == ("now",):
        yield path[:2] if path[:1] in OPEN else path[:1]
    elif len(path) == 1:  # the fact as a whole: every field
        yield from ((path[0], name) for name in FACTS[path[0]])
    else:
        yield path[:3] if path[:2] in OPEN or path[:2] == GROUPS else path[:2]


def path_of(node: Node) -> Path | None:
    """`tool.arguments.kind` or `tool.arguments['kind']` as a path; None for anything else."""
    if node.kind == "name":
        return (node.name,) if node.name in VARIABLES else None
    if node.kind == "select":
        before = path_of(node.parts[0])
        return (*before, node.name) if before else None
    if node.kind == "index" and _plain(node.parts[1]):
        before = path_of(node.parts[0])
        return (*before, str(node.parts[1].value)) if before and before != GROUPS else None
    return None


def _tested_key(node: Node) -> Path | None:
    """`'kind' in tool.arguments` looks at that key alone, and `'sre' in principal.groups` at that group."""
    if node.kind != "binary" or node.name != "in" or not _plain(node.parts[0]):
        return None
    path = path_of(node.parts[1])
    return (*path, str(node.parts[0].value)) if path in OPEN or path == GROUPS else None


def _only(conjuncts: list[Node], fact: Path) -> frozenset[str] | None:
    found: frozenset[str] | None = None
    for conjunct in conjuncts:
        values = _equals(conjunct, fact)
        if values is not None:
            found = values if found is None else found & values
    return found


def _equals(node: Node, fact: Path) -> frozenset[str] | None:
    """The texts that `fact == 'text'` or `fact in ['text', …]` lets through; None for any other condition."""
    if node.kind != "binary" or node.name not in ("==", "in"):
        return None
    left, right = node.parts
    if node.name == "==" and _plain(left):
        left, right = right, left
    if path_of(left) != fact:
        return None
    values = (
        right.parts if node.name == "in" and right.kind == "list" else (right,) if node.name == "==" else ()
    )
    if not values or not all(_plain(value) for value in values):
        return None
    return frozenset(str(value.value) for value in values)


def _plain(node: Node) -> bool:
    return node.kind == "literal" and isinstance(node.value, str)
