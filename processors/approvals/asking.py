"""A request: taken once, opened as pending, or refused or granted at once."""

from dataclasses import replace
from hashlib import sha256
from typing import cast

from processors.approvals import telling, terms
from processors.approvals.deciding import answered, granted
from processors.approvals.entry import UNKEPT, Entry
from processors.approvals.happening import Asked, Step
from processors.approvals.law import Rules
from processors.approvals.passing import KEEP, overdue
from processors.approvals.telling import Output
from processors.approvals.terms import SECOND
from schemas.approvals import REQUEST_SCHEMA, ApprovalDecision, ApprovalRequest
from schemas.signatures import signed_bytes


def asked(entry: Entry | None, record: Asked, now: int, rules: Rules) -> Step:
    """The next entry, and what is said; what was decided before the request came is answered with it."""
    request, place = record.request, record.place
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
    entry, outputs = _opened(record, digest)
    for each in parked:
        entry, said = answered(entry, cast("ApprovalDecision", each.decision), each.place, each.clock, rules)
        outputs += said
    entry = replace(entry, applied=max((_offset(each.place) for each in parked), default=-1))
    entry, said = overdue(entry, now)
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
    entry = replace(granted(entry, request, at), review_due_at=at + request["review_seconds"] * SECOND)
    title = f"The glass was broken on {request['connection']}; somebody has to look at it"
    finding = telling.raised(telling.BROKEN, title, evidence, at)
    return entry, [telling.settled(entry, entry.request_place, at), finding]


def _offset(place: str) -> int:
    return int(place.rpartition("-")[2])
