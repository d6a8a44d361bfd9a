"""A rule whose condition holds, as a finding: once while it lasts, again when it has grown by a lot.

Everything in it comes from the calls that were seen, so that the same calls make the same finding.
"""

from dataclasses import dataclass
from uuid import UUID

from processors.anomaly.case import Case
from processors.anomaly.finding import Finding
from processors.anomaly.keys import VALUES, row_name
from processors.anomaly.row import Lasting
from processors.anomaly.rules import DAY_US, DIMENSIONS, HOUR_US, MINUTE_US

FRAMES_MAX = 10
WORD_CHARACTERS_MAX = 200
_GROWN = 2.0
_REPEATED = 8
_UUID_BYTES = 16

WORDS = frozenset({*DIMENSIONS, "verb", "method", "value", "threshold", "baseline", "window", "key"})
"""What `title` and `explanation` of a rule may name."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A condition that holds: the window's value and start, the limit it reached, and what the limit came from."""

    value: float
    limit: float
    baseline: str
    start: int


def frame_bytes(frame_id: str) -> bytes:
    """A frame's id in 16 bytes; another text as it is."""
    bare = frame_id.replace("-", "")
    try:
        return bytes.fromhex(bare) if len(bare) == 2 * _UUID_BYTES else frame_id.encode()[: 2 * _UUID_BYTES]
    except ValueError:
        return frame_id.encode()[: 2 * _UUID_BYTES]


def frame_text(frame: bytes) -> str:
    """The id again."""
    return str(UUID(bytes=frame)) if len(frame) == _UUID_BYTES else frame.decode("utf-8", "replace")


def tell(case: Case, excess: Excess) -> Finding | None:
    """The finding, when there is something new to say; the slot remembers that it lasts."""
    planned, key, slot, seen = case.planned, case.key, case.slot, case.seen
    lasting = slot.lasting
    if lasting is None or seen.at - lasting.last_at > planned.rule.cooldown_us:
        name = f"{planned.rule.name}|{row_name(key)}|{seen.at}"
        slot.lasting = Lasting(name, seen.at, seen.at, 1, 1, excess.value)
        return _finding(case, slot.lasting, excess)
    lasting.last_at = max(lasting.last_at, seen.at)
    lasting.count += 1
    grown = excess.value >= _GROWN * lasting.told_value
    if not grown and lasting.count < _REPEATED * lasting.told_count:
        return None
    lasting.told_count, lasting.told_value = lasting.count, max(excess.value, lasting.told_value)
    return _finding(case, lasting, excess)


def _finding(case: Case, lasting: Lasting, excess: Excess) -> Finding:
    rule, seen = case.planned.rule, case.seen
    words = _words(case, excess)
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        title=rule.title.format_map(words),
        name=lasting.name,
        key=case.key,
        raised_at=seen.at,
        window_start=excess.start,
        act="raised" if lasting.count == 1 else "repeated",
        count=lasting.count,
        value=excess.value,
        evidence=tuple(frame_text(frame) for frame in case.slot.frames),
        attributes=_attributes(case, excess, rule.explanation.format_map(words)),
        response=rule.response,
    )


def _words(case: Case, excess: Excess) -> dict[str, str]:
    key, seen = case.key, case.seen
    words = {
        "principal": person(seen.principal),
        "session": seen.session_id,
        "connection": seen.connection,
        "tool": seen.tool,
        "object": seen.object,
        "namespace": seen.namespace,
        "client": seen.client,
        "address": seen.address,
        "network": ", ".join(VALUES["network"](seen)),
        "group": ", ".join(seen.groups),
        "pseudonym": ", ".join(seen.pseudonyms),
        "verb": seen.verb,
        "method": seen.method,
        **{name: person(value) if name == "principal" else value for name, value in key},
    }
    words = {name: value[:WORD_CHARACTERS_MAX] or "-" for name, value in words.items()}
    return {
        **words,
        "key": ", ".join(f"{name} {words[name]}" for name, _ in key),
        "value": number(excess.value),
        "threshold": number(excess.limit),
        "baseline": excess.baseline or "no baseline",
        "window": span(case.planned.rule.window_us),
    }


def _attributes(case: Case, excess: Excess, explanation: str) -> dict[str, str]:
    planned, key, seen = case.planned, case.key, case.seen
    whose = dict(key)
    issuer, _, subject = seen.principal.partition("|")
    theirs = {"principal", "session"} & whose.keys()
    response = planned.rule.response
    facts = {
        "principal_issuer": issuer if theirs else "",
        "principal_subject": subject if theirs else "",
        "last_principal": "" if theirs else seen.principal,
        "connection": seen.connection,
        "session_id": seen.session_id,
        "tool": seen.tool,
        "key": row_name(key),
        "feature": planned.rule.feature or "sequence",
        "value": number(excess.value),
        "threshold": number(excess.limit),
        "baseline": excess.baseline,
        "window_start": str(excess.start),
        "window_end": str(seen.at),
        "technique": planned.rule.technique,
        "explanation": explanation,
        "response": f"{response.act} {response.seconds}s" if response else "",
    }
    return {name: value for name, value in facts.items() if value}


def person(principal: str) -> str:
    """The subject of ISSUER|SUBJECT."""
    return principal.rpartition("|")[2]


def number(value: float) -> str:
    """A value for people: whole where it is."""
    return str(int(value)) if value == int(value) else f"{value:.1f}"


def span(micros: int) -> str:
    """A length of time for people: `90 min`, `24 h`, `7 days`."""
    if micros % DAY_US == 0 and micros > DAY_US:
        return f"{micros // DAY_US} days"
    if micros % HOUR_US == 0:
        return f"{micros // HOUR_US} h"
    return f"{micros / MINUTE_US:g} min"
