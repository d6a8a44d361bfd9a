"""The recorded trail judged by another policy: what would change, counted, with a few examples of each change."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.counters import SessionCounters
from gateway.policy import Policy, UnreadableError, Verdict
from gateway.policy.facts import ConnectionFacts
from gateway.policy.recorded import Annotations, calls_from_recorded
from gateway.rules import worst
from sluicegate.cli.policy_expectations import UNREADABLE
from sluicegate.cli.policy_trail import Judged, moment_of

EXAMPLES_MAX: Final = 3
CHANGES_MAX: Final = 10_000
"""Kinds of change told apart; rules are at most 1,000, so this bounds memory, and no more."""


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change: from what was said to what would be, by which rules."""

    was: str
    was_rule: str
    now: str
    now_rule: str


@dataclass(slots=True)
class Outcome:
    """What a replay found. `partial` counts requests of which a part is not stored: they were not judged."""

    requests: int = 0
    partial: int = 0
    same: Counter[str] = field(default_factory=Counter)
    changed: Counter[Change] = field(default_factory=Counter)
    examples: dict[Change, list[Judged]] = field(default_factory=dict)

    def add(self, judged: Judged, verdict: Verdict) -> None:
        """One request more, and what the new policy says of it."""
        self.requests += 1
        if verdict.action == judged.verdict:
            self.same[verdict.action] += 1
            return
        change = Change(judged.verdict, judged.rule, verdict.action, verdict.rule)
        if change not in self.changed and len(self.changed) >= CHANGES_MAX:
            change = Change(judged.verdict, "(others)", verdict.action, "(others)")
        self.changed[change] += 1
        kept = self.examples.setdefault(change, [])
        if len(kept) < EXAMPLES_MAX:
            kept.append(judged)

    def rows(self) -> list[Mapping[str, Any]]:
        """The changes, most frequent first, as JSON objects."""
        return [
            {
                "was": change.was,
                "was_rule": change.was_rule,
                "would_be": change.now,
                "would_be_rule": change.now_rule,
                "requests": count,
                "examples": [_example(each) for each in self.examples[change]],
            }
            for change, count in self.changed.most_common()
        ]


class Replay:
    """Judges requests in the order in which they were recorded, each session counted anew from the first one read."""

    def __init__(
        self,
        policy: Policy,
        connection: Callable[[str], ConnectionFacts],
        annotations: Mapping[str, Annotations],
    ) -> None:
        self._policy = policy
        self._connection = connection
        self._annotations = annotations
        self._counters = SessionCounters()

    def judge(self, judged: Judged) -> Verdict:
        """What the policy says of one recorded request."""
        request = judged.request
        calls, denied = self._counters.of(request.session_id)
        known = self._annotations.get(judged.connection, {})
        try:
            found = calls_from_recorded(request, self._connection(judged.connection), known, calls, denied)
        except UnreadableError:
            return UNREADABLE
        verdict = worst([self._policy.judge(call) for call in found])
        self._counters.count(request.session_id, refused=verdict.action != "allow")
        return verdict

    async def over(self, requests: AsyncIterator[Judged]) -> Outcome:
        """The outcome over all of them; one at a time is held."""
        outcome = Outcome()
        async for each in requests:
            if each.whole:
                outcome.add(each, self.judge(each))
            else:
                outcome.partial += 1
        return outcome


def _example(judged: Judged) -> Mapping[str, Any]:
    return {
        "exchange_id": judged.exchange_id,
        "recorded_at": moment_of(judged.micros),
        "principal": judged.subject,
        "asked": judged.asked,
    }
