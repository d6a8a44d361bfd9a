"""What holds, in words and as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from schemas.retention_book import Proposal
from schemas.retention_rules import Rules
from schemas.topics import topics
from sluicegate.cli.retention_acts import Standing

HOUR_US = 3_600_000_000
HOLDING_TOPICS = ("frames", "audit", "findings", "approvals.requested", "approvals.settled", "dead-letters")
"""Topics where a person's frames, or what came of them, stay until Kafka's own retention ends."""


def lines(standing: Standing) -> Iterator[str]:
    """For a person."""
    now = standing.book.in_force
    if now is None:
        yield "nothing is in force yet: the store takes over the file's rules when it runs; until then nothing goes"
        now_rules = None
    else:
        now_rules = now.rules
        by = ", ".join(now.asked_by) or "the file alone, at the start"
        yield f"in force since {_moment(now.since)}, by {by} (version {now.rules.version[:12]}):"
        yield from _rules(now.rules)
    if now_rules is not None:
        for line in now_rules.shortened_by(standing.file):
            yield f"the file would shorten {line}; that has no effect before `sluicegate retention propose`"
    if standing.single_person:
        yield "retention.single_person is set: one person may confirm alone, and the record says so"
    for proposal in standing.book.all(standing.now):
        yield from _proposal(proposal)


def rows(standing: Standing) -> Iterator[dict[str, Any]]:
    """For programs: the rules in force, then every proposal."""
    now = standing.book.in_force
    yield {
        "what": "rules",
        "rules": now.rules.plain() if now else None,
        "version": now.rules.version if now else "",
        "since": _moment(now.since) if now else None,
        "cause": now.cause if now else "",
        "asked_by": list(now.asked_by) if now else [],
        "file": standing.file.plain(),
        "shortened_in_file": now.rules.shortened_by(standing.file) if now else [],
    }
    for each in standing.book.all(standing.now):
        yield {
            "what": each.act["kind"],
            "id": each.id,
            "state": each.state,
            "at": _moment(each.act["at"]),
            "asked_by": each.asked_by,
            "reason": each.act["reason"],
            "content": each.act["content"],
            "kafka_holds_until": _moment(kafka_until(each)) if _erased(each) else None,
        }


def kafka_until(proposal: Proposal) -> int:
    """When the last topic that may hold erased data has let go of them, in UTC microseconds."""
    since = (proposal.confirmed or proposal.act)["at"]
    return since + max(topics()[name].retention_hours for name in HOLDING_TOPICS) * HOUR_US


def _rules(rules: Rules) -> Iterator[str]:
    for name in sorted(rules.connections):
        yield f"  {name}: {rules.of(name)}"
    yield f"  {'all others' if rules.connections else 'all connections'}: {rules.of('')}"
    yield f"  none less than {rules.minimum_days} days"


def _proposal(each: Proposal) -> Iterator[str]:
    kind, who = each.act["kind"], " and ".join(each.asked_by)
    head = f"{kind} {each.id} is {each.state} ({who}, {_moment(each.act['at'])})"
    match kind:
        case "rules":
            yield f"{head}: {each.act['reason']}"
            if each.state == "pending":
                yield from _rules(each.content[1])
        case "hold":
            yield f"{head}: keeps {each.content}; {each.act['reason']}"
        case "release":
            yield f"{head}: ends hold {each.content}; {each.act['reason']}"
        case "erasure":
            yield f"{head}: {each.content}; {each.act['reason']}"
            if _erased(each):
                yield f"  Kafka's topics hold what they had until {_moment(kafka_until(each))} at the latest"


def _erased(each: Proposal) -> bool:
    return each.act["kind"] == "erasure" and each.state == "confirmed"


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000, UTC).replace(microsecond=0)
