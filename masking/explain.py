"""Why something was masked, or was not: every place a rule looked at, with what spoke for and against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from masking import assignments, judge
from masking.filters import FILTERS, entropy
from masking.finder import Finder
from masking.literals import decode, escaped_literals
from masking.masker import Masker
from masking.pseudonym import is_masked
from masking.rules import Rule
from masking.traits import traits
from masking.windows import matches

_LEVELS_MAX = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """One place. `place` says what stood there without showing it; `because` lists what decided,
    strongest first.
    """

    rule: str
    place: str
    masked: bool
    because: tuple[str, ...]


def explain(masker: Masker, text: str) -> list[Reason]:
    """The reasons for this text, wrapped texts included, in the order of rules. Values are never shown."""
    view = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return list(_reasons(masker.finder, view, masker.profile.leave, 0))


def _reasons(finder: Finder, view: str, leave: frozenset[str], level: int) -> Iterator[Reason]:
    ends: dict[int, list[int]] = {}
    named = []
    for number, start, end in finder.hits(view):
        if number in finder.assigned:
            named.append((start, end))
        ends.setdefault(number, []).append(end)
    for number, found in ends.items():
        if number < len(finder.rules):
            yield from _of_rule(finder.rules[number], view, found, leave)
    yield from map(_of_candidate, assignments.candidates(view, named))
    if level < _LEVELS_MAX:
        for start, end in escaped_literals(view):
            yield from _reasons(finder, decode(view[start:end]), leave, level + 1)


def _of_rule(rule: Rule, view: str, ends: list[int], leave: frozenset[str]) -> Iterator[Reason]:
    group = "secret" if "secret" in rule.pattern.groupindex else 0
    for match in matches(rule.pattern, view, ends, rule.reach, rule.width):
        against = list(_against(rule, match[group]))
        if rule.id in leave:
            against.append("the profile leaves this rule out")
        place = f"{len(match[group])} characters at {match.start(group)}"
        yield Reason(rule.id, place, not against, tuple(against) or ("the form of the rule",))


def _against(rule: Rule, value: str) -> Iterator[str]:
    if is_masked(value):
        yield "masked already"
    if rule.entropy and entropy(value) < rule.entropy:
        yield f"entropy {entropy(value):.1f} is below {rule.entropy}"
    yield from (f"fails the check `{name}`" for name in rule.filters if not FILTERS[name](value))


def _of_candidate(candidate: assignments.Candidate) -> Reason:
    place = f"{candidate.key}{candidate.sep if candidate.sep in ':=' else ' '}… at {candidate.start}"
    out = judge.ruled_out(candidate)
    if out:
        return Reason("assignment", place, False, (f"it is {out}",))
    weighed = [(judge.WEIGHTS.get(trait, 0.0) * amount, trait) for trait, amount in traits(candidate)]
    weighed.sort(key=lambda pair: -abs(pair[0]))
    total = judge.score(candidate)
    because = (f"score {total:+.1f}", *(f"{trait} {weight:+.1f}" for weight, trait in weighed[:6] if weight))
    return Reason("assignment", place, total > 0, because)
