"""Parts of conditions that plain Python answers at once, so that most rules are ruled out before CEL is asked.

A guard that says False means that its conjunct is false, not that it fails: then the whole condition is false,
whatever else it holds. Where it says True, CEL decides. An exact guard's True means true as well; only such a one can
be negated. Patterns are answered here too, and their answers kept, since CEL reads a pattern anew each time.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter, contains
from typing import Any, Final, NamedTuple, TypeAlias

import cel

from gateway.policy.facts import KUBERNETES, Call
from gateway.policy.names import FACTS, OPEN
from gateway.policy.needs import GROUPS, Path, needs_of, path_of
from gateway.policy.syntax import Node, flattened

Guard: TypeAlias = Callable[[Call], bool]
_Test: TypeAlias = Callable[[Any], bool]
STEADY: Final = frozenset(
    {("tool", "name"), ("mcp", "method"), ("connection", "name"), GROUPS}
    | {("principal", field) for field in FACTS["principal"]}
)
_KEPT_MAX: Final = 1024
_KEPT_CHARACTERS_MAX: Final = 256
_ABSENT: Final = object()
_TEXT_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": contains,
}


class _Guard(NamedTuple):
    holds: Guard
    exact: bool


def guards_of(tree: Node) -> tuple[tuple[Guard, ...], tuple[Guard, ...]]:
    """Guards of a condition: where one of them says False, the condition does not hold. Apart: those that say the
    same of every call of one tool and method by one principal over one connection, and the others."""
    steady: list[Guard] = []
    other: list[Guard] = []
    for conjunct in flattened(tree, "&&"):
        guard = _guard(conjunct)
        if guard is not None:
            is_steady = all(path[:2] in STEADY for path in needs_of(conjunct).paths)
            chosen = steady if is_steady else other
            if conjunct.name == "==":  # rules most out: ask it first
                chosen.insert(0, guard.holds)
            else:
                chosen.append(guard.holds)
    return tuple(steady), tuple(other)


def _guard(node: Node) -> _Guard | None:
    if node.kind == "select":
        return _flag(node)
    if node.kind == "unary":
        return _negated(_guard(node.parts[0])) if node.name == "!" else None
    if node.kind == "binary":
        return _joined(node) if node.name in ("||", "&&") else _compared(node)
    if node.kind == "call" and node.name == "has":
        return _key_there(path_of(node.parts[0]))
    if node.kind == "method":
        return (
            _group_found(node) if node.name == "exists" else _tested(node) if len(node.parts) == 2 else None
        )
    return None


def _negated(guard: _Guard | None) -> _Guard | None:
    if guard is None or not guard.exact:
        return None
    holds = guard.holds
    return _Guard(lambda call: not holds(call), exact=True)


def _joined(node: Node) -> _Guard | None:
    first, second = (_guard(part) for part in node.parts)
    if first is None or second is None:  # one side alone can still make an `&&` false
        known = first or second
        return known._replace(exact=False) if known and node.name == "&&" else None
    one, other, exact = first.holds, second.holds, first.exact and second.exact
    if node.name == "||":
        return _Guard(lambda call: one(call) or other(call), exact)
    return _Guard(lambda call: one(call) and other(call), exact)


def _flag(node: Node) -> _Guard | None:
    """`mcp.batch`, `tool.annotations.readOnlyHint`."""
    path = path_of(node)
    if path and _field_kind(path) == "bool":
        return _Guard(_getter(path), exact=True)
    return _on(node, lambda value: value is not False, None)


def _compared(node: Node) -> _Guard | None:
    left, right = node.parts
    if node.name == "in":
        return _contained(left, right)
    if node.name not in ("==", "!="):
        return None
    if left.kind == "literal":
        left, right = right, left
    text = _text(right)
    if text is None:
        return None
    equal: _Test = lambda value: value == text  # noqa: E731
    differs: _Test = lambda value: value != text  # noqa: E731
    test = equal if node.name == "==" else differs
    return _on(left, test, test)


def _contained(left: Node, right: Node) -> _Guard | None:
    """`tool.name in ['text']`, `'group' in principal.groups`, `'key' in tool.arguments`."""
    text, path = _text(left), path_of(right)
    if text is not None and path == GROUPS:
        return _Guard(lambda call: text in call.principal.groups, exact=True)
    if text is not None and path in OPEN:
        return _key_there((*(path or ()), text))
    texts = [_text(part) for part in right.parts] if right.kind == "list" else []
    if not texts or None in texts:
        return None
    known = frozenset(texts)
    return _on(left, lambda value: type(value) is str and value in known, known.__contains__)


def _key_there(path: Path | None) -> _Guard | None:
    """Whether an argument, annotation or label is there; only of the first level, which can always be asked."""
    if path is None or path[:-1] not in OPEN:
        return None
    values, key = attrgetter(".".join(path[:-1])), path[-1]
    return _Guard(lambda call: key in values(call), exact=True)


def _group_found(node: Node) -> _Guard | None:
    """`principal.groups.exists(g, g == 'group')`, which says no more than `'group' in principal.groups`."""
    target, variable, body = node.parts
    if path_of(target) != GROUPS or body.kind != "binary" or body.name != "==":
        return None
    left, right = body.parts if body.parts[0].kind == "name" else reversed(body.parts)
    group = _text(right)
    if group is None or left.kind != "name" or left.name != variable.name:
        return None
    return _Guard(lambda call: group in call.principal.groups, exact=True)


def _tested(node: Node) -> _Guard | None:
    text = _text(node.parts[1])
    plain = _TEXT_TESTS.get(node.name)
    if text is not None and plain:
        on_text: _Test = lambda value: plain(value, text)  # noqa: E731
        return _on(node.parts[0], lambda value: type(value) is not str or plain(value, text), on_text)
    if text is not None and node.name == "matches":
        return _on(node.parts[0], None, _Pattern(node.parts[1].name).may_match, exact=False)
    return None


def _on(node: Node, loose: _Test | None, typed: _Test | None, *, exact: bool = True) -> _Guard | None:
    """A test of a text fact (`typed`), or of an argument of any kind (`loose`), which fails where it is absent."""
    path = path_of(node)
    if path is None or path[0] == "time":
        return None
    if typed and _field_kind(path) == "string":
        fact = _getter(path)
        return _Guard(lambda call: typed(fact(call)), exact)
    if loose and path[:-1] in OPEN:
        values, key = attrgetter(".".join(path[:-1])), path[-1]
        return _Guard(
            lambda call: (value := values(call).get(key, _ABSENT)) is _ABSENT or loose(value), exact=False
        )
    return None


def _getter(path: Path) -> Callable[[Call], Any]:
    """What reads a field of known kind."""
    if path[0] != "kubernetes":
        return attrgetter(".".join(path))
    name, blank = path[1], KUBERNETES[path[1]]
    return lambda call: call.kubernetes.get(name, blank)


class _Pattern:
    """A pattern by CEL, with the answers for short texts kept (at most so many)."""

    def __init__(self, literal: str) -> None:
        self._program = cel.compile(f"text.matches({literal})")
        self._kept: dict[str, bool] = {}

    def may_match(self, text: str) -> bool:
        """Whether it matches; True for long texts, on which CEL is asked later."""
        held = self._kept.get(text)
        if held is not None:
            return held
        if len(text) > _KEPT_CHARACTERS_MAX or not text.isprintable():
            return True
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        held = self._kept[text] = self._program.execute({"text": text}) is not False
        return held


def _field_kind(path: Path) -> str:
    return FACTS.get(path[0], {}).get(path[1], "") if len(path) == 2 else ""


def _text(node: Node) -> str | None:
    return node.value if node.kind == "literal" and isinstance(node.value, str) else None
