"""One rule of a file, field by field. What is wrong is noted at its place; a rule that lacks a part is none."""

from dataclasses import fields as fields_of
from string import Formatter
from typing import cast, get_args

from processors.anomaly.example_reading import read_examples
from processors.anomaly.features import FEATURES, SUMS
from processors.anomaly.finding import Answer, Response
from processors.anomaly.observation import Observation
from processors.anomaly.rules import (
    DAY_US,
    DIMENSIONS,
    HOUR_US,
    MINUTE_US,
    Learned,
    Rule,
    Sequence,
    Step,
    Threshold,
    Wanted,
)
from processors.anomaly.source import Spot, did_you_mean
from processors.anomaly.telling import WORDS
from processors.anomaly.units import SECOND_US, duration_of
from schemas.findings import SEVERITIES, Severity

BUCKETS_MAX = 48
STEPS_MAX = 8
_FIELDS = tuple(each.name for each in fields_of(Observation))
_NEEDED = ("name", "severity", "title", "explanation", "key", "window")
_THRESHOLD = ("at_least", "own", "peers", "unlearned")
_OTHER = ("feature", "sequence", "where", "unless", "strange", "technique", "response", "cooldown", "buckets")
_KNOWN = (*_NEEDED, *_THRESHOLD, *_OTHER, "memory", "warm_up", "examples")


def read_rule(spot: Spot) -> Rule | None:
    """The rule, or None after a fault that leaves nothing to build it of."""
    fields = spot.fields(_KNOWN)
    missing = [name for name in _NEEDED if name not in fields]
    if missing:
        spot.fault(f"a rule needs {', '.join(f'`{name}`' for name in missing)}")
        return None
    key = _dimensions(fields["key"])
    rule = Rule(
        name=fields["name"].text("the rule's name"),
        severity=_severity(fields["severity"]),
        title=_template(fields["title"]),
        explanation=_template(fields["explanation"]),
        key=key,
        window_us=duration_of(fields["window"], least=10 * SECOND_US, most=35 * DAY_US),
        feature=_feature(fields["feature"]) if "feature" in fields else "",
        threshold=_threshold(spot, fields) if "feature" in fields else None,
        sequence=_sequence(fields["sequence"]) if "sequence" in fields else None,
        where=_wanted(fields.get("where")),
        unless=_wanted(fields.get("unless")),
        strange=_dimensions(fields["strange"]) if "strange" in fields else (),
        technique=fields["technique"].text("an ATT&CK technique, such as T1552.007")
        if "technique" in fields
        else "",
        response=_response(fields["response"], key) if "response" in fields else None,
        cooldown_us=_span(fields, "cooldown", HOUR_US),
        buckets=int(fields["buckets"].number(1, "a whole number of at least 1"))
        if "buckets" in fields
        else 12,
        memory_us=_span(fields, "memory", 35 * DAY_US),
        warm_up_us=_span(fields, "warm_up", 3 * DAY_US),
        examples=read_examples(fields["examples"]) if "examples" in fields else (),
    )
    _check(spot, rule, fields)
    return rule


def _check(spot: Spot, rule: Rule, fields: dict[str, Spot]) -> None:
    if bool(rule.feature) == (rule.sequence is not None):
        spot.fault("a rule has either a `feature` or a `sequence`")
    if rule.sequence and (wrong := [name for name in _THRESHOLD if name in fields]):
        fields[wrong[0]].fault("a sequence has no threshold; say `times` of its steps")
    if rule.buckets > BUCKETS_MAX:
        fields["buckets"].fault(f"must be at most {BUCKETS_MAX}: each key keeps so many")
    learned = rule.threshold and (rule.threshold.own or rule.threshold.peers)
    if learned and rule.feature not in SUMS and not rule.feature.startswith("distinct_"):
        fields["feature"].fault("what is new has no baseline; leave `own` and `peers` out")
    if rule.threshold and rule.threshold.unlearned is not None and not learned:
        fields["unlearned"].fault(
            "is for rules with `own` or `peers`; without them `at_least` is all there is"
        )


def _severity(spot: Spot) -> Severity:
    value = spot.text("a severity")
    if value and value not in SEVERITIES:
        spot.fault(f"`{value}` is no severity{did_you_mean(value, SEVERITIES)}")
        return "info"
    return value or "info"


def _template(spot: Spot) -> str:
    text = " ".join(spot.text("text").split())
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        spot.fault("a brace that belongs to no word; write `{{` for the brace itself")
        return ""
    for name in names:
        if name not in WORDS:
            spot.fault(f"`{{{name}}}` is not known{did_you_mean(name, WORDS)}")
            return ""
    return text


def _dimensions(spot: Spot) -> tuple[str, ...]:
    names: list[str] = []
    for each in spot.items():
        for name in each.text("a dimension, or several joined by `+`").split("+"):
            if name and name not in DIMENSIONS:
                each.fault(f"`{name}` is nothing to keep by{did_you_mean(name, DIMENSIONS)}")
            names.append(name)
    if len(set(names)) != len(names):
        spot.fault("names a dimension twice")
    known = tuple(name for name in names if name in DIMENSIONS)
    return known or ("principal",)


def _feature(spot: Spot) -> str:
    name = spot.text("a feature")
    if name and name not in FEATURES:
        spot.fault(f"`{name}` is no feature{did_you_mean(name, FEATURES)}")
        return "calls"
    return name


def _threshold(spot: Spot, fields: dict[str, Spot]) -> Threshold | None:
    if "at_least" not in fields:
        spot.fault("a rule with a feature needs `at_least`: below it nothing is found, whatever was learned")
        return None
    return Threshold(
        at_least=fields["at_least"].number(1, "a number of at least 1"),
        own=_learned(fields["own"]) if "own" in fields else None,
        peers=_learned(fields["peers"]) if "peers" in fields else None,
        unlearned=fields["unlearned"].number(1, "a number of at least 1") if "unlearned" in fields else None,
    )


def _learned(spot: Spot) -> Learned:
    fields = spot.fields(("score", "by", "periods"))
    if "score" not in fields:
        spot.fault("needs `score`: how many deviations above what is usual")
        return Learned(1)
    by = fields["by"].value() if "by" in fields else "median"
    if by not in ("median", "ewma"):
        fields["by"].fault("must be `median` or `ewma`")
    periods = fields["periods"].number(2, "a whole number of at least 2") if "periods" in fields else 5
    score = fields["score"].number(0.5, "a number of at least 0.5")
    return Learned(score, "ewma" if by == "ewma" else "median", int(periods))


def _sequence(spot: Spot) -> Sequence | None:
    fields = spot.fields(("same", "steps", "times"))
    if "steps" not in fields:
        spot.fault("a sequence has `steps`")
        return None
    steps = tuple(_step(each) for each in fields["steps"].items())
    if not 2 <= sum(step.times for step in steps) <= STEPS_MAX:
        fields["steps"].fault(f"must be from 2 to {STEPS_MAX} calls, each counted as often as its `times`")
    same = _names(fields["same"]) if "same" in fields else ()
    times = int(fields["times"].number(1, "a whole number of at least 1")) if "times" in fields else 1
    if times > 1 and not same:
        fields["times"].fault("needs `same`: what differs from one time to the next")
    return Sequence(steps, same, times)


def _step(spot: Spot) -> Step:
    fields = spot.fields(("where", "unless", "other", "times"))
    if "where" not in fields:
        spot.fault("a step needs `where`: which calls it is")
    return Step(
        where=_wanted(fields.get("where")),
        unless=_wanted(fields.get("unless")),
        other=_names(fields["other"]) if "other" in fields else (),
        times=int(fields["times"].number(1, "a whole number of at least 1")) if "times" in fields else 1,
    )


def _names(spot: Spot) -> tuple[str, ...]:
    return tuple(_field(each, each.text("a field of a call")) for each in spot.items())


def _field(spot: Spot, name: str) -> str:
    if name and name not in _FIELDS:
        spot.fault(f"calls have no `{name}`{did_you_mean(name, _FIELDS)}")
        return _FIELDS[0]
    return name


def _wanted(spot: Spot | None) -> Wanted:
    if spot is None:
        return {}
    wanted: dict[str, tuple[str | bool | int, ...]] = {}
    for name, each in spot.fields(_FIELDS).items():
        values = [one.value() for one in each.items()]
        if not all(isinstance(value, str | bool | int) for value in values):
            each.fault("must be a value, or a list of values")
        wanted[name] = tuple(value for value in values if isinstance(value, str | bool | int))
    return wanted


def _response(spot: Spot, key: tuple[str, ...]) -> Response | None:
    acts = get_args(Answer)
    fields = spot.fields(acts)
    if len(fields) != 1:
        spot.fault(f"must be one of {', '.join(f'`{act}: 1h`' for act in acts)}")
        return None
    if "principal" not in key and "session" not in key:
        spot.fault("a response is about somebody: it needs `principal` or `session` in the rule's `key`")
    act, length = next(iter(fields.items()))
    seconds = duration_of(length, least=MINUTE_US, most=30 * DAY_US) // SECOND_US
    return Response(cast("Answer", act), seconds) if act in acts else None


def _span(fields: dict[str, Spot], name: str, default: int) -> int:
    return duration_of(fields[name]) if name in fields else default
