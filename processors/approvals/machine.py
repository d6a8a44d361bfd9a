"""The life of one approval: a pure step from an entry and a record to the next entry and what is said.

    nothing ─▶ pending ─▶ approved ─▶ used        denied, expired, revoked and used are ends
                  │           ├─▶ expired
                  │           └─▶ revoked
                  └─▶ denied, expired, revoked

A `use` asks to run the call; only the settled record that names its `use_id` lets that exchange run it. Time is the
clock of the partition (its ticks), or the time of the signed record where that is later: no other clock is asked.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple, cast

from processors.approvals import law, telling, terms
from processors.approvals.entry import UNKEPT, Entry, Parked
from processors.approvals.law import Rules
from processors.approvals.quorum import met
from processors.approvals.telling import Output
from processors.approvals.terms import SECOND
from schemas.approvals import (
    ANY_NUMBER,
    REQUEST_SCHEMA,
    ApprovalDecision,
    ApprovalRequest,
)
from schemas.signatures import signed_bytes

KEEP = 24 * 3600 * SECOND
"""How long an ended approval is remembered, so that what is replayed is known."""

PARK = 600 * SECOND
"""How long a decision waits for its request."""

PARKED_MAX = 32
SEEN_MAX = 2_000


class Asked(NamedTuple):
    """A request whose signature holds; `place` is TOPIC-PARTITION-OFFSET."""

    request: ApprovalRequest
    place: str
    partition: int


class Said(NamedTuple):
    """A decision whose signature holds, and that of its delegation."""

    decision: ApprovalDecision
    place: str
    partition: int
    offset: int


class Passed(NamedTuple):
    """Nothing but time."""


Step = tuple[Entry | None, list[Output]]


def step(entry: Entry | None, record: Asked | Said | Passed, now: int, rules: Rules) -> Step:
    """`now` is the clock of the partition. None for an entry: there is nothing to remember (any more)."""
    match record:
        case Asked():
            return _asked(entry, record, now, rules)
        case Said():
            if entry is not None and record.offset <= entry.applied:
                return entry, []  # done before a crash
            return _said(entry, record, now, rules)
        case Passed():
            return _passed(entry, now) if entry else (None, [])


def due_at(entry: Entry) -> int:
    """When time will change this entry, if nothing else does before."""
    if entry.request is None:
        return entry.parked_since + PARK if entry.parked_since else 0
    moments = [entry.ends_at if entry.state in ("pending", "approved") else _end(entry) + KEEP]
    if entry.review_due_at is not None and not entry.reviewed_by and not entry.review_missed:
        moments.append(entry.review_due_at)
    return min(moments)


# -- a request


def _asked(entry: Entry | None, asked: Asked, now: int, rules: Rules) -> Step:
    request, place = asked.request, asked.place
    evidence = [request["approval_id"], place]
    digest = sha256(signed_bytes(REQUEST_SCHEMA, request)).hexdigest()
    if entry is not None and entry.request is not None:
        if place == entry.request_place:
            return entry, []  # done before a crash
        title = "An approval was requested again" + (
            "" if digest == entry.request_digest else ", as something else"
        )
        return entry, [telling.raised(telling.REPLAYED, title, evidence, request["requested_at"])]
    if now >= request["expires_at"] + KEEP:
        title = "An approval was requested that ended long ago"
        return entry, [telling.raised(telling.REPLAYED, title, evidence, request["requested_at"])]
    parked = entry.parked if entry else ()
    entry, outputs = _opened(asked, digest)
    for each in parked:
        entry, said = _answered(entry, cast("ApprovalDecision", each.decision), each.place, each.clock, rules)
        outputs += said
    entry = replace(entry, applied=max((_offset(each.place) for each in parked), default=-1))
    entry, said = _overdue(entry, now)
    return entry, outputs + said


def _opened(asked: Asked, digest: str) -> tuple[Entry, list[Output]]:
    request = asked.request
    kept = {name: value for name, value in request.items() if name not in UNKEPT}
    entry = Entry(
        request["approval_id"],
        asked.partition,
        request=kept,
        request_place=asked.place,
        request_digest=digest,
        version=1,
        ends_at=request["expires_at"],
    )
    at, refusal = request["requested_at"], terms.fault(request)
    if refusal:
        entry = replace(entry, state="denied")
    elif request["kind"] == "break_glass":
        return _broken(entry, request)
    return entry, [telling.settled(entry, asked.place, at, refusal=refusal)]


def _broken(entry: Entry, request: ApprovalRequest) -> tuple[Entry, list[Output]]:
    """Break-glass: members of a named group, with a reason, get it at once, and somebody has to look at it."""
    at = request["requested_at"]
    who = f"{request['principal_issuer']}|{request['principal_subject']}"
    evidence = [
        entry.approval_id,
        who,
        f"connection: {request['connection']}",
        f"reason: {request['reason'][:500]}",
    ]
    member = set(request["principal_groups"]).intersection(request["break_glass_groups"])
    refusal = "" if member else "not one of those who may break the glass"
    refusal = refusal or ("" if request["reason"].strip() else "breaking the glass needs a reason")
    if refusal:
        entry = replace(entry, state="denied")
        finding = telling.raised(
            telling.BROKEN_REFUSED, f"Breaking the glass was refused: {refusal}", evidence, at
        )
        return entry, [telling.settled(entry, entry.request_place, at, refusal=refusal), finding]
    entry = replace(_granted(entry, request, at), review_due_at=at + request["review_seconds"] * SECOND)
    title = f"The glass was broken on {request['connection']}; somebody has to look at it"
    finding = telling.raised(telling.BROKEN, title, evidence, at)
    return entry, [telling.settled(entry, entry.request_place, at), finding]


def _granted(entry: Entry, request: ApprovalRequest, at: int) -> Entry:
    seconds = request["grant_seconds"]
    many = request["kind"] in ("standing", "access")
    uses = (request["uses_max"] if request["kind"] == "standing" else 0) if many else 1
    ends_at = at + seconds * SECOND if seconds else request["expires_at"]
    return replace(entry, state="approved", uses_left=uses or ANY_NUMBER, ends_at=ends_at)


# -- a decision


def _said(entry: Entry | None, said: Said, now: int, rules: Rules) -> Step:
    if entry is None or entry.request is None:
        return _parked(entry, said, now)
    entry, outputs = _answered(entry, said.decision, said.place, now, rules)
    return replace(entry, applied=said.offset), outputs


def _parked(entry: Entry | None, said: Said, now: int) -> Step:
    """The request may come later than what is said of it: they are in two topics."""
    decision = said.decision
    entry = entry or Entry(decision["approval_id"], said.partition)
    kept: dict[str, Any] = {name: value for name, value in decision.items() if name not in UNKEPT}
    if given := decision["delegation"]:
        kept["delegation"] = {name: value for name, value in given.items() if name not in UNKEPT}
    if len(entry.parked) >= PARKED_MAX:
        title = "Too many decisions of an approval that nobody requested"
        finding = telling.raised(telling.UNKNOWN, title, [decision["approval_id"]], decision["at"])
        return replace(entry, applied=said.offset), [finding]
    parked = (*entry.parked, Parked(kept, said.place, now))
    return replace(entry, parked=parked, applied=said.offset), []


def _answered(
    entry: Entry, decision: ApprovalDecision, place: str, clock: int, rules: Rules
) -> tuple[Entry, list[Output]]:
    """Every decision gets one answer, a settled record that names it, or is a replay of one that did."""
    now = max(clock, decision["at"])
    entry, outputs = _overdue(entry, now)
    if decision["decision_id"] in entry.seen:
        evidence = [entry.approval_id, decision["decision_id"], place]
        title = "A decision on an approval was written a second time"
        return entry, [*outputs, telling.raised(telling.REPLAYED, title, evidence, now)]
    if len(entry.seen) >= SEEN_MAX:
        return entry, outputs  # an end below closed it before: nothing can come of this
    request = cast("ApprovalRequest", entry.request)
    refused = law.refusal(entry, request, decision, now, rules)
    if refused is None:
        entry = _counted(entry, request, decision, now, rules)
    entry = _noted(entry, decision, closing=len(entry.seen) + 1 >= SEEN_MAX)
    use_id = decision["use_id"] if refused is None and decision["verb"] == "use" else ""
    outputs.append(
        telling.settled(
            entry,
            place,
            now,
            use_id=use_id,
            decision_id=decision["decision_id"],
            refusal=refused.text if refused else "",
            comment=decision["comment"],
        )
    )
    if refused and refused.rule:
        who = f"{decision['who_issuer']}|{decision['who_subject']}"
        title = f"A decision on an approval was refused: {refused.text}"
        outputs.append(telling.raised(refused.rule, title, [entry.approval_id, who, place], now))
    return entry, outputs


def _noted(entry: Entry, decision: ApprovalDecision, *, closing: bool) -> Entry:
    name = f"{decision['who_issuer']}|{decision['who_subject']}"
    heard: Mapping[str, int] = entry.latest
    if decision["verb"] != "use":
        heard = {**entry.latest, name: max(decision["at"], entry.latest.get(name, 0))}
    seen = (*entry.seen, decision["decision_id"])
    entry = replace(entry, seen=seen, latest=heard, version=entry.version + 1)
    if closing and entry.state in ("pending", "approved"):
        return replace(entry, state="revoked", uses_left=0)
    return entry


def _counted(
    entry: Entry, request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules
) -> Entry:
    match decision["verb"]:
        case "approve":
            voices = (*entry.voices, law.voice_of(decision, rules))
            entry = replace(entry, voices=voices)
            enough = met(request["quorum"], [frozenset(voice.roles) for voice in voices])
            return _granted(entry, request, now) if enough else entry
        case "deny":
            return replace(entry, state="denied", uses_left=0)
        case "revoke":
            return replace(entry, state="revoked", uses_left=0)
        case "use":
            return _used(entry, decision["use_id"])
    return replace(entry, reviewed_by=law.voice_of(decision, rules).name)


def _used(entry: Entry, use_id: str) -> Entry:
    left = entry.uses_left - 1
    return replace(entry, uses=(*entry.uses, use_id), uses_left=left, state="approved" if left else "used")


# -- time


def _passed(entry: Entry, now: int) -> Step:
    if now < due_at(entry):
        return entry, []
    if entry.request is None and not entry.parked_since:
        return replace(entry, parked_since=now), []  # what stood in the log for long is not late for that
    if entry.request is None:
        title = "Somebody decided on an approval that nobody requested"
        places = [entry.approval_id, *(parked.place for parked in entry.parked)]
        return None, [telling.raised(telling.UNKNOWN, title, places, due_at(entry))]
    entry, outputs = _overdue(entry, now)
    ended = entry.state not in ("pending", "approved") and now >= _end(entry) + KEEP
    return (None if ended else entry), outputs


def _overdue(entry: Entry, now: int) -> tuple[Entry, list[Output]]:
    """What ended by itself until `now`. Its record says when it was due, not when that was seen."""
    outputs: list[Output] = []
    if entry.state in ("pending", "approved") and now >= entry.ends_at:
        entry = replace(entry, state="expired", uses_left=0, version=entry.version + 1)
        outputs.append(telling.settled(entry, f"expired:{entry.ends_at}", entry.ends_at))
    due = entry.review_due_at
    if due is not None and now >= due and not entry.reviewed_by and not entry.review_missed:
        entry = replace(entry, review_missed=True)
        title = "The glass was broken, and nobody looked at it in time"
        outputs.append(telling.raised(telling.UNREVIEWED, title, [entry.approval_id], due))
    return entry, outputs


def _end(entry: Entry) -> int:
    """Until when the approval may matter to anybody."""
    expires_at = int(entry.request["expires_at"]) if entry.request else 0
    return max(entry.ends_at, expires_at, entry.review_due_at or 0)


def _offset(place: str) -> int:
    return int(place.rpartition("-")[2])
