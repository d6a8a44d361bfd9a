"""What a person may say to an approval, and why or why not, in words. Pure.

It is for the person's eyes: the approvals processor decides what counts, and is asked in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.desk import Verb
from console.integrations.showing import needs
from console.sight import Sight
from console.standing import Standing
from schemas.hours import hours


@dataclass(frozen=True, slots=True)
class May:
    """`verbs`: what may be tried. `why`: one sentence. `delegation_id`: instead of whom, '' for oneself.
    `comment_required`: of the verbs that demand a comment."""

    verbs: tuple[Verb, ...]
    why: str
    delegation_id: str = ""
    comment_required: tuple[Verb, ...] = ()


def may(standing: Standing, sight: Sight, *, decides: bool, revoker: bool, now: int) -> May:
    """`decides`: the person's role lets it decide in the console; `revoker`: it may take back whatever it likes.
    `now` is UTC in microseconds."""
    given = sight.instead_of(standing)
    reviews = sight.reviews(standing) or given is not None
    verbs = _verbs(standing, reviews and decides, sight.asked(standing) or (decides and (revoker or reviews)))
    return May(
        verbs,
        _why(standing, sight, decides=decides, revoker=revoker, now=now),
        given.delegation_id if given else "",
        tuple(verb for verb in verbs if _demands_comment(standing, verb)),
    )


def _verbs(standing: Standing, reviews: bool, revokes: bool) -> tuple[Verb, ...]:
    verbs: list[Verb] = []
    if standing.state == "pending" and reviews:
        verbs += ["approve", "deny"]
    if standing.review_due and reviews:
        verbs.append("review")
    if standing.state in ("pending", "approved") and revokes:
        verbs.append("revoke")
    return tuple(verbs)


def _demands_comment(standing: Standing, verb: Verb) -> bool:
    return verb == "review" or (standing.request["comment_required"] and verb in ("approve", "deny"))


def _why(standing: Standing, sight: Sight, *, decides: bool, revoker: bool, now: int) -> str:
    if sight.asked(standing):
        return (
            "You asked for it, and nobody decides what they asked for. You may take it back while it is open."
        )
    given = sight.instead_of(standing)
    if not sight.reviews(standing) and given is None:
        if revoker and standing.state in ("pending", "approved"):
            return "You are none of its reviewers. Your group may take back what anybody asked for."
        return f"You are none of its reviewers: {needs(standing.request)} may decide."
    whose = f"instead of {given.giver}, who delegated to you" if given else "as one of its reviewers"
    if not decides:
        return "You would be a reviewer, but your role in this console is to look: ask for the role of an approver."
    if standing.review_due:
        return f"You may look at it afterwards {whose}; that takes a comment."
    return _open(standing, whose, now) if standing.state == "pending" else _over(standing)


def _open(standing: Standing, whose: str, now: int) -> str:
    text = f"You may decide {whose}."
    if standing.settled and standing.settled["approvers"]:
        text += " Others have agreed already."
    times = standing.request["hours"]
    return text if _within(times, now) else f"{text} It may be approved {times} only, which is not now."


def _over(standing: Standing) -> str:
    if standing.state == "approved":
        return "It is approved; you may take it back while it is not used up."
    if standing.state == "unread":
        return "It was asked just now, and the approvals processor has not taken it up yet."
    return f"It is {standing.state}: there is nothing left to decide."


def seats(standing: Standing) -> Sequence[tuple[int, str]]:
    """(people, the groups and persons they come from) of each part of the quorum."""
    return [(part["people"], ", ".join(part["reviewers"])) for part in standing.request["quorum"]]


def _within(times: str, now: int) -> bool:
    try:
        return hours(times).open_at(now)
    except ValueError:
        return False
