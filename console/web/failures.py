"""Why a page is not shown, as an answer for people: what is wrong, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Refusal(Exception):  # noqa: N818 (it is an answer, not a fault of ours)
    """A page in place of the one asked for. `todo`: what the viewer can do."""

    status: int
    title: str
    text: str
    todo: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class GoElsewhere(Exception):  # noqa: N818
    """The browser is sent to `location`, a path of ours."""

    location: str


class Ended(Refusal):
    """The login is over; whoever asked by a script is told so, and a page goes to the login."""

    def __init__(self, following: str) -> None:
        super().__init__(401, "You are logged out", "Your login has ended.", "Log in again.")
        self.following = following


def unrecorded(fault: str) -> Refusal:
    """Nothing is shown that could not be written down (fails closed)."""
    return Refusal(
        503,
        "Kafka is away",
        f"What you asked for was not shown, because it could not be recorded that you looked: {fault or 'no answer'}",
        "Nothing is lost. Try again in a moment; see that the brokers run and have their in-sync replicas.",
        {"Retry-After": "5"},
    )


def store_away(fault: str) -> Refusal:
    """Recording goes on; reading waits."""
    return Refusal(
        503,
        "The store is away",
        f"The trail cannot be read right now: {fault}",
        "Recording goes on meanwhile, and nothing is lost. Try again in a moment.",
        {"Retry-After": "5"},
    )


def not_found(what: str) -> Refusal:
    """There is none, or the viewer may not know of it: the page is the same."""
    return Refusal(
        404,
        f"There is no such {what}",
        f"No {what} of this id is in the trail, or it belongs to a connection that you may not see.",
        "Look at the list for what there is; who manages access can add a connection to your team.",
    )


def forbidden(needed: str, groups: tuple[str, ...]) -> Refusal:
    """The viewer lacks the role."""
    mine = ", ".join(groups) or "none"
    return Refusal(
        403,
        "Your role does not allow this",
        f"This page is for the role {needed}. The groups that your login names: {mine}.",
        "Ask whoever runs Sluicegate to add one of your groups to `web.roles`.",
    )
