"""Responses: what is done about a finding before a person is there. Pure; off unless the settings say otherwise.

A finding of a rule may carry `response`: `demand_approval 1h`, `block for 30m`, `lower_limits to 0.5/s for 1h`.
It is carried out once, when the finding is raised, ends by itself that long after it, and is undone by a person.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

from processors.alerts.matching import like, named, principal_of
from processors.alerts.settings import Responses
from schemas.admin import Actor, AdminRecord, Outcome, admin_record
from schemas.control import (
    ControlRecord,
    Lowered,
    approval_demanded,
    limits_lowered,
    principal_blocked,
)
from schemas.findings import FindingRecord, finding_record
from schemas.stamps import Stamp

HELD_BACK = "responses-held-back"
"""Rule of the finding that a response was not carried out, so that a person does it."""

SECOND = 1_000_000
HOUR = 3_600 * SECOND
SECONDS_MAX = 31 * 86_400
_NAMESPACE = UUID("1d7a2f0e-8a43-5f2c-9a57-2f2f2b6d9c11")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_RESPONSE = re.compile(
    r"(?P<act>demand_approval|block|lower_limits)"
    r"(?: to (?P<rate>\d+(?:\.\d+)?)/s)?(?: for)? (?P<count>[1-9]\d{0,6})(?P<unit>[smhd])"
)

Act = Literal["demand_approval", "block", "lower_limits"]


class Wanted(NamedTuple):
    """What a rule wants: `rate` (calls a second) of lower_limits, None for the settings' own."""

    act: Act
    seconds: int
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of a response: records to write in this order, each acknowledged before the next.

    Either the act is recorded, carried out and recorded again, or `held_back` asks a person. `counts` names the bound
    that it counts for; `outcome` is for the figures.
    """

    act: str
    outcome: Literal["done", "held_back", "off", "exempt", "late", "none"]
    asked: AdminRecord | None = None
    control: ControlRecord | None = None
    done: AdminRecord | None = None
    held_back: FindingRecord | None = None
    counts: str = ""


NOTHING = Answer("", "none")


def wanted_of(text: str) -> Wanted | None:
    """What the attribute `response` of a finding says; None for what it cannot mean."""
    found = _RESPONSE.fullmatch(text.strip())
    if found is None or (found["rate"] is not None and found["act"] != "lower_limits"):
        return None
    seconds = int(found["count"]) * _UNITS[found["unit"]]
    rate = None if found["rate"] is None else float(found["rate"])
    if seconds > SECONDS_MAX or rate == 0:
        return None
    return Wanted(found["act"], seconds, rate)  # type: ignore[arg-type]  # the pattern has these three


def answer(
    finding: FindingRecord, settings: Responses, before: Sequence[tuple[str, int]], now: int
) -> Answer:
    """What is done about `finding` at `now` (UTC in microseconds).

    `before` are the answers of the last hour: (`block` or `other`, when).
    """
    text = finding["attributes"].get("response", "")
    if not text or finding["act"] != "raised":
        return NOTHING
    wanted = wanted_of(text)
    if wanted is None:
        return _held_back(finding, "unknown", f"the rule's response {text[:80]!r} is none that is known", now)
    if not settings.on or not like(finding["rule"], settings.rules):
        return Answer(wanted.act, "off")
    if named(principal_of(finding), settings.exempt):
        return Answer(wanted.act, "exempt")
    if finding["raised_at"] + wanted.seconds * SECOND <= now:
        return Answer(wanted.act, "late")
    why = _why_not(finding, wanted, settings, before, now)
    return _held_back(finding, wanted.act, why, now) if why else _carried_out(finding, wanted, settings, now)


def _why_not(
    finding: FindingRecord,
    wanted: Wanted,
    settings: Responses,
    before: Sequence[tuple[str, int]],
    now: int,
) -> str:
    facts = finding["attributes"]
    identified = facts.get("principal_issuer") and facts.get("principal_subject")
    if not identified and not (wanted.act == "demand_approval" and facts.get("session_id")):
        return "it is about nobody who is identified"
    if "|" in facts.get("principal_issuer", ""):
        return "its issuer is none"
    kind = _bound_of(wanted.act)
    most = settings.blocks_hour_max if kind == "block" else settings.others_hour_max
    if sum(1 for what, at in before if what == kind and now - at < HOUR) >= most:
        return f"{most} were carried out within the hour"
    return ""


def _bound_of(act: Act) -> str:
    return "block" if act == "block" else "other"


def _carried_out(finding: FindingRecord, wanted: Wanted, settings: Responses, now: int) -> Answer:
    actor = Actor("rule", finding["rule"])
    control = _control(finding, wanted, settings, Stamp(_id(finding, "control"), now), str(actor))
    target = control["session_id"] or f"{control['issuer']}|{control['subject']}"
    detail = {
        "finding_id": finding["finding_id"],
        "expires_at": control["expires_at"],
        "control": control["target"],
    }

    def told(outcome: Outcome) -> AdminRecord:
        stamp = Stamp(_id(finding, outcome), now)
        action = f"response.{wanted.act}"
        return admin_record(stamp, actor, action, target, outcome, reason=control["reason"], detail=detail)

    return Answer(wanted.act, "done", told("asked"), control, told("done"), counts=_bound_of(wanted.act))


def _control(
    finding: FindingRecord, wanted: Wanted, settings: Responses, stamp: Stamp, by: str
) -> ControlRecord:
    facts, cause = finding["attributes"], finding["finding_id"]
    issuer, subject = facts.get("principal_issuer", ""), facts.get("principal_subject", "")
    ends = finding["raised_at"] + wanted.seconds * SECOND
    reason = f"{finding['rule']}: {finding['title']}"
    if wanted.act == "block":
        return principal_blocked(stamp, issuer, subject, by=by, reason=reason, expires_at=ends, cause=cause)
    if wanted.act == "lower_limits":
        own = settings.lowered
        rate = own if wanted.rate is None else Lowered(wanted.rate, max(1, round(wanted.rate)))
        return limits_lowered(
            stamp, issuer, subject, rate, by=by, reason=reason, expires_at=ends, cause=cause
        )
    return approval_demanded(
        stamp,
        session_id=facts.get("session_id", ""),
        issuer=issuer,
        subject=subject,
        by=by,
        reason=reason,
        expires_at=ends,
        cause=cause,
    )


def _held_back(finding: FindingRecord, act: str, why: str, now: int) -> Answer:
    facts = {key: text for key, text in finding["attributes"].items() if key != "response"}
    record = finding_record(
        HELD_BACK,
        "high",
        f"no response to {finding['rule']}: {why}; decide yourself",
        [f"finding: {finding['finding_id']}", f"response: {finding['attributes'].get('response', '')}"],
        raised_at=now,
        name=finding["finding_id"],
        attributes={**facts, "explanation": finding["title"]},
    )
    return Answer(act, "held_back", held_back=record)


def _id(finding: FindingRecord, what: str) -> str:
    return str(uuid5(_NAMESPACE, f"{finding['finding_id']}:{what}"))
