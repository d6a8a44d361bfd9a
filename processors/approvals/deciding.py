"""A decision: parked until its request is there, answered once, and counted where the law lets it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from processors.approvals import law, telling
from processors.approvals.entry import UNKEPT, Entry, Parked
from processors.approvals.happening import Said, Step
from processors.approvals.law import Rules
from processors.approvals.passing import overdue
from processors.approvals.quorum import met
from processors.approvals.telling import Output
from processors.approvals.terms import SECOND
from schemas.approvals import ANY_NUMBER, ApprovalDecision, ApprovalRequest

PARKED_MAX = 32
SEEN_MAX = 2_000


def said(entry: Entry | None, record: Said, now: int, rules: Rules) -> Step:
    """The next entry, and what is said; without its request the decision is kept until that comes."""
    if entry is None or entry.request is None:
        return _parked(entry, record, now)
    entry, outputs = answered(entry, record.decision, record.place, now, rules)
    return replace(entry, applied=record.offset), outputs


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


def answered(
    entry: Entry, decision: ApprovalDecision, place: str, clock: int, rules: Rules
) -> tuple[Entry, list[Output]]:
    """Every decision gets one answer, a settled record that names it, or is a replay of one that did."""
    now = max(clock, decision["at"])
    entry, outputs = overdue(entry, now)
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
            return granted(entry, request, now) if enough else entry
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


def granted(entry: Entry, request: ApprovalRequest, at: int) -> Entry:
    seconds = request["grant_seconds"]
    many = request["kind"] in ("standing", "access")
    uses = (request["uses_max"] if request["kind"] == "standing" else 0) if many else 1
    ends_at = at + seconds * SECOND if seconds else request["expires_at"]
    return replace(entry, state="approved", uses_left=uses or ANY_NUMBER, ends_at=ends_at)
