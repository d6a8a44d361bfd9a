"""Whether a decision counts: one check after the other, each with its reason."""

from collections.abc import Callable
from typing import NamedTuple

from processors.approvals import telling
from processors.approvals.entry import Entry, Voice
from processors.approvals.people import People, Person, roles
from processors.approvals.quorum import fits
from processors.approvals.terms import SECOND
from schemas.approvals import ApprovalDecision, ApprovalRequest
from schemas.hours import hours
from schemas.people import ANONYMOUS, identity

SKEW = 120 * SECOND
"""How far the clocks of two components may be apart."""

DELEGATION_MAX = 90 * 86_400 * SECOND
COMMENT_CHARACTERS_MAX = 4_000


class Rules(NamedTuple):
    """Configured: who is who, whose members may revoke whatever they like, and whether what somebody without
    identity asks for may be approved."""

    people: People = People()
    revoker_groups: frozenset[str] = frozenset()
    anonymous: bool = False


class Refusal(NamedTuple):
    """Why a decision changes nothing, and the rule of the finding where it is more than a mistake."""

    text: str
    rule: str = ""


def voice_of(decision: ApprovalDecision, rules: Rules) -> Voice:
    """Who speaks. Whose place somebody takes by a delegation is as much in it as who takes it."""
    who = _person(decision, rules)
    own = roles(decision["who_issuer"], decision["who_subject"], decision["who_groups"])
    name = identity(decision["who_issuer"], decision["who_subject"])
    given = decision["delegation"]
    if given is None:
        return Voice(name, tuple(sorted(who)), tuple(sorted(own)))
    giver = rules.people.person(given["from_issuer"], given["from_subject"], given["from_aliases"])
    theirs = roles(given["from_issuer"], given["from_subject"], given["from_groups"])
    return Voice(name, tuple(sorted(who | giver)), tuple(sorted(theirs)))


def refusal(
    entry: Entry, request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules
) -> Refusal | None:
    """Why the decision does not count at `now`; None when it does."""
    stale = _stale(entry, request, decision)
    if stale or len(decision["comment"]) > COMMENT_CHARACTERS_MAX:
        return stale or Refusal(f"the comment has more than {COMMENT_CHARACTERS_MAX} characters")
    checks: dict[str, Callable[[], Refusal | None]] = {
        "approve": lambda: _approving(entry, request, decision, now, rules),
        "deny": lambda: _denying(entry, request, decision, now, rules),
        "revoke": lambda: _revoking(entry, request, decision, now, rules),
        "use": lambda: _using(entry, request, decision),
        "review": lambda: _reviewing(entry, request, decision, now, rules),
    }
    check = checks.get(decision["verb"])
    return check() if check else Refusal("nobody says that of an approval", telling.FORGED)


def _stale(entry: Entry, request: ApprovalRequest, decision: ApprovalDecision) -> Refusal | None:
    """A decision is never older than what it is about, nor than what the same person said before."""
    name = identity(decision["who_issuer"], decision["who_subject"])
    if decision["at"] < request["requested_at"] - SKEW:
        return Refusal("it is older than the request", telling.REPLAYED)
    if decision["verb"] != "use" and decision["at"] < entry.latest.get(name, 0):
        return Refusal("it is older than what the same person decided since", telling.REPLAYED)
    return None


def _approving(
    entry: Entry, request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules
) -> Refusal | None:
    if entry.state != "pending":
        return Refusal(f"it is {entry.state} already")
    found = (
        _anonymous(request, rules)
        or _altered(request, decision)
        or _reviewer(request, decision, now, rules)
        or _commented(request, decision)
    )
    if found:
        return found
    if not hours(request["hours"]).open_at(now):
        return Refusal(f"it may be approved {request['hours']} only")
    person = set(voice_of(decision, rules).person)
    if any(person.intersection(voice.person) for voice in entry.voices):
        return Refusal("this person approved it already")
    return None


def _anonymous(request: ApprovalRequest, rules: Rules) -> Refusal | None:
    """Of a caller who could be anybody nobody can say that it is somebody else."""
    asks = identity(request["principal_issuer"], request["principal_subject"])
    if rules.anonymous or asks != ANONYMOUS:
        return None
    return Refusal("who asked is not known, so it could be whoever approves; see `approvals.anonymous`")


def _denying(
    entry: Entry, request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules
) -> Refusal | None:
    if entry.state != "pending":
        return Refusal(f"it is {entry.state} already; an approved one is revoked")
    return _reviewer(request, decision, now, rules) or _commented(request, decision)


def _revoking(
    entry: Entry, request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules
) -> Refusal | None:
    if entry.state not in ("pending", "approved"):
        return Refusal(f"it is {entry.state} already")
    if _person(decision, rules) & _requester(request, rules):
        return None  # whoever asked may always think better of it
    if rules.revoker_groups.intersection(decision["who_groups"]):
        return None
    return _reviewer(request, decision, now, rules)


def _using(entry: Entry, request: ApprovalRequest, decision: ApprovalDecision) -> Refusal | None:
    if entry.state != "approved":
        return Refusal(f"it is {entry.state}")
    if request["kind"] == "access" or (request["kind"] == "standing" and not request["uses_max"]):
        return Refusal("it is used without asking until it ends")
    if not decision["use_id"] or decision["use_id"] in entry.uses:
        return Refusal("each use has an id of its own")
    owner = (request["principal_issuer"], request["principal_subject"])
    if (decision["who_issuer"], decision["who_subject"]) != owner:
        return Refusal("it is somebody else's", telling.ALTERED)
    return _altered(request, decision)


def _reviewing(
    entry: Entry, request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules
) -> Refusal | None:
    if entry.review_due_at is None or entry.reviewed_by:
        return Refusal("nobody has to look at it")
    return _reviewer(request, decision, now, rules) or (
        None if decision["comment"].strip() else Refusal("a review needs a comment")
    )


def _altered(request: ApprovalRequest, decision: ApprovalDecision) -> Refusal | None:
    """A standing grant is for many calls: the gateway holds their arguments against its bound."""
    many = request["kind"] == "standing" and decision["verb"] == "use"
    if decision["argument_digest"] != request["argument_digest"] and not many:
        return Refusal("the call is not the one that was asked for", telling.ALTERED)
    if decision["policy_version"] != request["policy_version"]:
        return Refusal("the policy has changed since it was asked for", telling.ALTERED)
    return None


def _reviewer(request: ApprovalRequest, decision: ApprovalDecision, now: int, rules: Rules) -> Refusal | None:
    voice = voice_of(decision, rules)
    if _requester(request, rules).intersection(voice.person):
        return Refusal("nobody decides what they asked for themselves", telling.SELF)
    if found := _delegation(decision, now):
        return found
    return None if fits(request["quorum"], frozenset(voice.roles)) else Refusal("not one of the reviewers")


def _delegation(decision: ApprovalDecision, now: int) -> Refusal | None:
    given = decision["delegation"]
    if given is None:
        return None
    if (given["to_issuer"], given["to_subject"]) != (decision["who_issuer"], decision["who_subject"]):
        return Refusal("the delegation is somebody else's", telling.FORGED)
    if not given["from_at"] <= now < given["until_at"]:
        return Refusal("the delegation does not hold at this time")
    if given["until_at"] - given["from_at"] > DELEGATION_MAX:
        return Refusal("the delegation is for more than 90 days")
    return None


def _commented(request: ApprovalRequest, decision: ApprovalDecision) -> Refusal | None:
    if request["comment_required"] and not decision["comment"].strip():
        return Refusal("the rule demands a comment")
    return None


def _person(decision: ApprovalDecision, rules: Rules) -> Person:
    return rules.people.person(decision["who_issuer"], decision["who_subject"], decision["who_aliases"])


def _requester(request: ApprovalRequest, rules: Rules) -> Person:
    return rules.people.person(
        request["principal_issuer"], request["principal_subject"], request["principal_aliases"]
    )
