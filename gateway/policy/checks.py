"""What can be said against a condition before it runs: names, fields, kinds, and loops that could take too long."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

import cel

from gateway.policy.names import ARGUMENTS, FACTS, FUNCTIONS, METHODS, TYPE_NAMES, VARIABLES
from gateway.policy.problems import did_you_mean
from gateway.policy.syntax import MACROS, Node

_NUMBERS: Final = frozenset({"int", "uint", "double"})
_COMPARED: Final = _NUMBERS | {"string", "bool", "bytes", "timestamp", "duration", "list", "map"}
_REQUEST: Final = "request"  # as long as who sent the request likes
_FACT: Final = "fact"
_LITERAL: Final = "literal"


class Fault(NamedTuple):
    """What is wrong, and at which character of the condition (from 0)."""

    offset: int
    text: str


def faults_of(tree: Node) -> list[Fault]:
    """All faults of a condition, in the order of the tree."""
    return _Checker().check(tree)


class _Checker:
    """Walks the tree once, inner parts first, and knows the loop variables around each part."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._loops: dict[str, str] = {}  # loop variable: where its values come from

    def check(self, tree: Node) -> list[Fault]:
        kind = self._kind(tree)
        if kind not in ("bool", "any"):
            self._fault(
                tree, f"gives {_a(kind)}, and a condition must give true or false; compare it with something"
            )
        return self._faults

    def _fault(self, node: Node, text: str) -> None:
        self._faults.append(Fault(node.start, text))

    def _kind(self, node: Node) -> str:
        kinds: Mapping[str, object] = {
            "literal": self._literal,
            "name": self._name,
            "select": self._select,
            "index": self._index,
            "call": self._call,
            "method": self._method,
            "unary": self._unary,
            "binary": self._binary,
            "conditional": self._conditional,
            "list": lambda each: self._all(each, "list"),
            "map": lambda each: self._all(each, "map"),
        }
        kind = kinds[node.kind](node)  # type: ignore[operator]
        return str(kind)

    def _all(self, node: Node, kind: str) -> str:
        for part in node.parts:
            self._kind(part)
        return kind

    def _literal(self, node: Node) -> str:
        if node.name in ("true", "false"):
            return "bool"
        if node.name == "null":
            return "null"
        if node.name[-1] in "uU" and node.name[0].isdigit():
            return "uint"
        return {int: "int", float: "double", bytes: "bytes"}.get(type(node.value), "string")

    def _name(self, node: Node) -> str:
        if node.name in self._loops:
            return "any"
        if node.name in VARIABLES:
            if node.name == "kubernetes":
                self._forbid_in_loop(node)
            return VARIABLES[node.name]
        if node.name in TYPE_NAMES:
            return "type"
        self._fault(
            node, f"there is no `{node.name}` here{did_you_mean(node.name, {*VARIABLES, *self._loops})}"
        )
        return "any"

    def _select(self, node: Node) -> str:
        target = node.parts[0]
        if target.kind == "name" and target.name in FACTS and target.name not in self._loops:
            fields = FACTS[target.name]
            if node.name not in fields:
                text = f"`{target.name}` has no `{node.name}`{did_you_mean(node.name, fields)}"
                self._faults.append(Fault(node.end - len(node.name), text))
                return "any"
            if fields[node.name] in ("map", "list") and target.name in ("tool", "kubernetes"):
                self._forbid_in_loop(node)
            return fields[node.name]
        kind = self._kind(target)
        if kind not in ("map", "any"):
            self._fault(node, f"{_a(kind)} has no fields, so no `.{node.name}`")
        return "any"

    def _index(self, node: Node) -> str:
        kind = self._kind(node.parts[0])
        self._kind(node.parts[1])
        if kind not in ("map", "list", "any"):
            self._fault(node, f"{_a(kind)} cannot be looked into with [ ]")
        return "any"

    def _unary(self, node: Node) -> str:
        kind = self._kind(node.parts[0])
        if node.name == "!":
            self._want_bool(node.parts[0], kind, "!")
            return "bool"
        return kind

    def _binary(self, node: Node) -> str:
        left, right = (self._kind(part) for part in node.parts)
        if node.name in ("&&", "||"):
            self._want_bool(node.parts[0], left, node.name)
            self._want_bool(node.parts[1], right, node.name)
        elif node.name == "in":
            if right not in ("list", "map", "any"):
                self._fault(
                    node.parts[1],
                    f"`in` looks into a list or a map, and this is {_a(right)}; try `.contains()`",
                )
        elif node.name in ("+", "-", "*", "/", "%"):
            return left if left == right else "any"
        elif left != right and {left, right} <= _COMPARED and not {left, right} <= _NUMBERS:
            self._fault(node, f"compares {_a(left)} with {_a(right)}, which are never equal")
        return "bool"

    def _want_bool(self, node: Node, kind: str, operator: str) -> None:
        if kind not in ("bool", "any"):
            self._fault(node, f"`{operator}` takes true or false, and this is {_a(kind)}")

    def _conditional(self, node: Node) -> str:
        asked, yes, no = (self._kind(part) for part in node.parts)
        self._want_bool(node.parts[0], asked, "?")
        return yes if yes == no else "any"

    def _call(self, node: Node) -> str:
        for part in node.parts:
            self._kind(part)
        if node.name in METHODS and node.name not in FUNCTIONS:
            self._fault(node, f"`{node.name}` is written after what it looks at: `x.{node.name}(…)`")
        elif node.name not in FUNCTIONS:
            self._fault(node, f"there is no function `{node.name}`{did_you_mean(node.name, FUNCTIONS)}")
        elif len(node.parts) != ARGUMENTS.get(node.name, 1):
            self._fault(node, f"`{node.name}` takes {ARGUMENTS.get(node.name, 1)} argument(s)")
        elif node.name == "has" and node.parts[0].kind != "select":
            self._fault(
                node, "`has` takes a field, as in has(tool.arguments.namespace); for other keys: 'key' in map"
            )
        return FUNCTIONS.get(node.name, "any")

    def _method(self, node: Node) -> str:
        if node.name in MACROS:
            return self._loop(node)
        target = self._kind(node.parts[0])
        for part in node.parts[1:]:
            self._kind(part)
        if node.name not in METHODS:
            self._fault(node, f"there is no `.{node.name}()`{did_you_mean(node.name, METHODS)}")
            return "any"
        if METHODS[node.name] == "bool":
            if len(node.parts) != 2:
                self._fault(node, f"`.{node.name}()` takes one text")
            elif target not in ("string", "any"):
                self._fault(node, f"`.{node.name}()` looks into text, and this is {_a(target)}")
            elif node.name == "matches":
                self._pattern(node.parts[1])
        return METHODS[node.name]

    def _pattern(self, node: Node) -> None:
        if self._loops:
            self._fault(
                node, "is read anew in each round, which takes long; use startsWith, endsWith or contains"
            )
        if not isinstance(node.value, str) and node.kind != "literal":
            self._fault(node, "a pattern is written out as text: one that the request brings could take long")
            return
        try:
            cel.compile(f"''.matches({node.name})").execute({})
        except Exception as error:  # noqa: BLE001 (the library raises what it likes for a bad pattern)
            lines = [line for line in str(error).splitlines() if line.startswith("error: ")]
            reason = (
                lines[0].removeprefix("error: ").partition(". Check")[0] if lines else "it cannot be read"
            )
            self._fault(node, f"is no pattern: {reason}")

    # -- loops: at most one pass over what the request brings

    def _loop(self, node: Node) -> str:
        if len(node.parts) not in (3, 4) or node.parts[1].kind != "name":
            self._fault(node, f"is written `.{node.name}(x, condition on x)`")
            return "any"
        target, variable, *body = node.parts
        kind = self._kind(target)
        if kind not in ("list", "map", "any"):
            self._fault(node, f"`.{node.name}()` goes through a list or a map, and this is {_a(kind)}")
        source = self._source(target)
        if self._loops and source == _REQUEST and not self._rooted_in_loop(target):
            self._fault(
                node,
                "goes through the whole request once for each round of the outer loop; compare with `in`",
            )
        if variable.name in VARIABLES or variable.name in self._loops:
            self._fault(
                variable, f"`{variable.name}` means something already; call the loop's variable otherwise"
            )
            return "any"
        with self._inside(variable.name, source):
            for part in body:
                inner = self._kind(part)
                if node.name != "map":
                    self._want_bool(part, inner, node.name)
        return METHODS[node.name]

    @contextmanager
    def _inside(self, variable: str, source: str) -> Iterator[None]:
        self._loops[variable] = source
        try:
            yield
        finally:
            del self._loops[variable]

    def _source(self, node: Node) -> str:
        sources = {
            self._loops.get(each.name) or (_REQUEST if each.name in ("tool", "kubernetes") else _FACT)
            for each in node.walk()
            if each.kind == "name" and (each.name in VARIABLES or each.name in self._loops)
        }
        return _REQUEST if _REQUEST in sources else _FACT if sources else _LITERAL

    def _rooted_in_loop(self, node: Node) -> bool:
        return all(each.name not in VARIABLES for each in node.walk() if each.kind == "name")

    def _forbid_in_loop(self, node: Node) -> None:
        if _REQUEST in self._loops.values():
            self._fault(
                node, "is read anew in each round of a loop over the request; test it outside of the loop"
            )


def _a(kind: str) -> str:
    words = {
        "string": "text",
        "int": "a number",
        "uint": "a number",
        "double": "a number",
        "bool": "true or false",
    }
    return words.get(kind, f"a {kind}")
