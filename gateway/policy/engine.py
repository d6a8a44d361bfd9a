"""A policy in force: judges calls by the first rule that matches.

All rules share one context for a call, since putting facts into it costs far more than computing a condition; rules
that plain tests of names and groups rule out are left out before (see `benchmarks/policy.py` for the figures).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import cel

from gateway.policy.conditions import UNFIT, Compiled, ConditionError, FailedError
from gateway.policy.contexts import Plan, Unfit
from gateway.policy.facts import Call, PrincipalFacts
from gateway.policy.guards import Guard
from gateway.policy.names import OPEN
from gateway.policy.needs import Path
from gateway.policy.syntax import Node, flattened
from gateway.policy.verdict import Verdict

FAILED: Final = "policy_failed"
PLANS_MAX: Final = 256
POSSIBLE_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `verdict` is what a call gets for which `condition` is the first to hold."""

    name: str
    condition: Compiled
    verdict: Verdict
    doc: str = ""
    pack: str = ""

    def can_match(self, call: Call) -> bool:
        """Whether its condition can hold for the call's tool and method at all."""
        needs = self.condition.needs
        return (needs.tools is None or call.tool.name in needs.tools) and (
            needs.methods is None or call.mcp.method in needs.methods
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition, as it is written, and what it gave."""

    text: str
    gave: Literal["true", "false", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One rule asked about a call. `failure`: why it could not be computed; `parts`: those of its condition."""

    rule: Rule
    matched: bool
    failure: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """What judging needs of a rule. `wide`: it looks at the arguments as a whole, where most need a few keys."""

    rule: Rule
    guards: tuple[Guard, ...]
    paths: frozenset[Path]
    wide: bool


class Policy:
    """Rules in order, and what a call gets that none of them matches. `version` is the digest of all that decides.

    Judging is pure: no I/O, no clock, and the same verdict for the same call. Not for use by two threads at once.
    What rules say of a principal and a tool is remembered, since calls come again and again.
    """

    def __init__(self, rules: Iterable[Rule], default: Verdict, version: str = "") -> None:
        self.rules = tuple(rules)
        self.default = default
        self.version = version
        self.text = ""  # as the file had it, for the record
        self._entries = [_entry(rule) for rule in self.rules]
        self._possible: dict[tuple[str, str, str, PrincipalFacts], list[_Entry]] = {}
        self._plans: dict[tuple[str, ...], Plan] = {}

    def judge(self, call: Call) -> Verdict:
        """The verdict on one call. Raises nothing: a condition that cannot be computed denies."""
        candidates = self._candidates(call)
        if not candidates:
            return self.default
        contexts: list[tuple[cel.Context, Unfit] | None] = [None, None]
        for entry in candidates:
            context, unfit = contexts[entry.wide] or self._build(candidates, entry.wide, call, contexts)
            if unfit and not unfit.isdisjoint(entry.paths):
                return failed(entry.rule, UNFIT)
            try:
                if entry.rule.condition.compute(context):
                    return entry.rule.verdict
            except FailedError as error:
                return failed(entry.rule, str(error))
        return self.default

    def _candidates(self, call: Call) -> list[_Entry]:
        """The rules that no guard rules out: for most calls none."""
        found = []
        for entry in self._for(call):
            for guard in entry.guards:
                if not guard(call):
                    break
            else:
                found.append(entry)
        return found

    def _build(
        self,
        candidates: list[_Entry],
        wide: bool,
        call: Call,
        contexts: list[tuple[cel.Context, Unfit] | None],
    ) -> tuple[cel.Context, Unfit]:
        """One context for all candidates that look as far; kept in `contexts`."""
        rules = [entry.rule for entry in candidates if entry.wide == wide]
        key = tuple([rule.name for rule in rules])
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= PLANS_MAX:
                self._plans.clear()
            plan = self._plans[key] = _plan_for(rules)
        built = contexts[wide] = plan.build(call)
        return built

    def explain(self, call: Call) -> list[Step]:
        """Each rule in order up to the one that decides, with what the parts of its condition gave."""
        steps: list[Step] = []
        for rule in self.rules:
            steps.append(_step(rule, call))
            if steps[-1].matched or steps[-1].failure:
                break
        return steps

    def _for(self, call: Call) -> list[_Entry]:
        """The rules whose condition can hold for the call's tool and method by its principal."""
        key = (call.tool.name, call.mcp.method, call.connection.name, call.principal)
        found = self._possible.get(key)
        if found is None:
            if len(self._possible) >= POSSIBLE_MAX:
                self._possible.clear()
            found = self._possible[key] = [
                entry
                for entry in self._entries
                if entry.rule.can_match(call) and all(guard(call) for guard in entry.rule.condition.steady)
            ]
        return found


def _entry(rule: Rule) -> _Entry:
    paths = rule.condition.needs.paths
    return _Entry(rule, rule.condition.varying, paths, not OPEN.isdisjoint(paths))


def _plan_for(rules: Iterable[Rule]) -> Plan:
    needs = [rule.condition.needs for rule in rules]
    return Plan(
        {path for each in needs for path in each.paths}, {name for each in needs for name in each.functions}
    )


def failed(rule: Rule, why: str) -> Verdict:
    """The verdict where `rule` cannot be computed: a deny, lest what it forbids passes."""
    reason = f"the condition of rule {rule.name} could not be computed: {why}"
    return Verdict("deny", rule.name, reason, FAILED)


def _step(rule: Rule, call: Call) -> Step:
    context, unfit = rule.condition.plan.build(call)
    parts = tuple(_part(rule, node, context) for node in _parts(rule.condition.tree))
    if not rule.can_match(call):
        return Step(rule, matched=False, parts=parts)
    if not unfit.isdisjoint(rule.condition.needs.paths):
        return Step(rule, matched=False, failure=UNFIT)
    try:
        return Step(rule, rule.condition.compute(context), parts=parts)
    except FailedError as error:
        return Step(rule, matched=False, failure=str(error), parts=parts)


def _parts(tree: Node) -> list[Node]:
    conjuncts = flattened(tree, "&&")
    return conjuncts if len(conjuncts) > 1 else flattened(tree, "||")


def _part(rule: Rule, node: Node, context: cel.Context) -> Part:
    text = rule.condition.text[node.start : node.end]
    try:
        held = Compiled(text).compute(context)
    except (FailedError, ConditionError):
        return Part(text, "failed")
    return Part(text, "true" if held else "false")
