"""Rules made ready to be applied: grouped by their keys, with what they look at as functions."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b

from processors.anomaly.baseline import HISTORY_MAX
from processors.anomaly.features import DISTINCT, NEW, SUMS, UNUSUAL_HOURS
from processors.anomaly.keys import VALUES, home_of
from processors.anomaly.matching import Predicate, predicate
from processors.anomaly.observation import Observation
from processors.anomaly.rules import Learned, Rule, RuleSet, Step


@dataclass(frozen=True, slots=True)
class Planned:
    """One rule. `slot` names its part of a row: it changes when the rule comes to count something else. `counts`:
    whether an observation may add something; `wakes`: whether it matters to the rule at all.

    Of a feature one of these is set: `amount` (sums), `distinct` or `new` (a dimension), `hours`. `span` is the
    window in buckets. Of a sequence: `steps` in order, those that repeat written out, as places in `wanted`.
    """

    rule: Rule
    slot: int
    counts: Predicate
    wakes: Predicate
    bucket_us: int
    span: int
    amount: Callable[[Observation], int] | None = None
    distinct: str = ""
    new: str = ""
    hours: bool = False
    own: Learned | None = None
    peers: Learned | None = None
    wanted: tuple[Predicate, ...] = ()
    steps: tuple[int, ...] = ()
    others: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()

    @property
    def learns(self) -> bool:
        """Whether closed windows are kept: then windows in which nothing was counted are kept, too."""
        return self.own is not None or self.peers is not None


@dataclass(slots=True)
class Kept:
    """The rules that keep by the same dimensions. `keep_us`: how long after its last observation a row is of use to
    one of them."""

    dimensions: tuple[str, ...]
    rules: list[Planned] = field(default_factory=list)
    keep_us: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """All rules, by the home of their rows. `slots` are the parts of rows that are in use."""

    homes: dict[str, list[Kept]]
    slots: frozenset[int]
    lateness_us: int

    @property
    def keep_us(self) -> int:
        """The longest that a row is of use."""
        return max((group.keep_us for groups in self.homes.values() for group in groups), default=0)


def plan_of(rules: RuleSet) -> Plan:
    """The plan of a set of rules."""
    kept: dict[tuple[str, ...], Kept] = {}
    for rule in rules.rules:
        group = kept.setdefault(rule.key, Kept(rule.key))
        planned = _planned(rule)
        group.rules.append(planned)
        group.keep_us = max(group.keep_us, _keep_us(planned) + rules.lateness_us)
    homes: dict[str, list[Kept]] = {}
    for dimensions, group in kept.items():
        homes.setdefault(home_of(dimensions), []).append(group)
    slots = frozenset(planned.slot for group in kept.values() for planned in group.rules)
    return Plan(homes, slots, rules.lateness_us)


def _keep_us(planned: Planned) -> int:
    rule = planned.rule
    span = rule.window_us + rule.cooldown_us
    if planned.new or planned.hours or planned.strange:
        return max(span, rule.memory_us)
    if planned.learns:
        return max(span, min(HISTORY_MAX * rule.window_us, rule.memory_us))
    return span


def _planned(rule: Rule) -> Planned:
    threshold, steps = rule.threshold, rule.sequence.steps if rule.sequence else ()
    wanted = tuple(predicate(step.where, step.unless) for step in steps)
    counts = _counts(rule, wanted)
    return Planned(
        rule=rule,
        slot=_slot(rule),
        counts=counts,
        wakes=_wakes(rule, counts),
        bucket_us=max(1, rule.window_us // rule.buckets),
        span=rule.buckets,
        amount=SUMS.get(rule.feature),
        distinct=DISTINCT.get(rule.feature, ""),
        new=NEW.get(rule.feature, ""),
        hours=rule.feature == UNUSUAL_HOURS,
        own=threshold.own if threshold else None,
        peers=threshold.peers if threshold else None,
        wanted=wanted,
        steps=tuple(place for place, step in enumerate(steps) for _ in range(step.times)),
        others=_others(steps),
        strange=rule.strange,
    )


def _counts(rule: Rule, steps: tuple[Predicate, ...]) -> Predicate:
    chosen = predicate(rule.where, rule.unless)
    if steps:
        return lambda seen: chosen(seen) and any(wants(seen) for wants in steps)
    if rule.feature in SUMS:
        amount = SUMS[rule.feature]
        return lambda seen: bool(amount(seen)) and chosen(seen)
    if rule.feature == UNUSUAL_HOURS:
        return chosen
    values = VALUES[DISTINCT.get(rule.feature) or NEW[rule.feature]]
    return lambda seen: bool(values(seen)) and chosen(seen)


def _wakes(rule: Rule, counts: Predicate) -> Predicate:
    """A baseline knows the windows in which its key was active and nothing was counted: for principals and sessions
    that is anything they did, for all else (an object, a client) what the rule chooses."""
    learns = rule.threshold and (rule.threshold.own or rule.threshold.peers)
    if rule.strange or (learns and home_of(rule.key) == "principal"):
        return lambda _: True
    return predicate(rule.where, rule.unless) if learns else counts


def _others(steps: tuple[Step, ...]) -> tuple[str, ...]:
    return tuple(sorted({name for step in steps for name in step.other}))


def _slot(rule: Rule) -> int:
    """32 bits of what makes the counts of a rule what they are; a changed threshold or text keeps them."""
    shape = {
        "name": rule.name,
        "key": rule.key,
        "feature": rule.feature,
        "window": rule.window_us,
        "buckets": rule.buckets,
        "where": dict(rule.where),
        "unless": dict(rule.unless),
        "sequence": asdict(rule.sequence) if rule.sequence else None,
    }
    if rule.strange:
        shape["strange"] = rule.strange
    return int.from_bytes(blake2b(json.dumps(shape, sort_keys=True).encode(), digest_size=4).digest(), "big")
