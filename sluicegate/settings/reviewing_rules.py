"""What takes two settings to know of who has to agree to lend access."""

from collections.abc import Iterator

from schemas.durations import seconds_in
from schemas.people import is_person
from schemas.terms import LIFETIME_SECONDS_MAX, PEOPLE_MAX
from sluicegate.settings.connection import AccessBlock
from sluicegate.settings.reviewing import AskedBlock
from sluicegate.settings.source import Loc


def access_requests_faults(access: AccessBlock, loc: Loc, mode: str) -> Iterator[tuple[Loc, str]]:
    """Everything wrong with the requests for access to one connection under an identity mode."""
    requests = access.requests
    at = (*loc, "requests")
    if requests is None:
        return
    if mode == "none":
        yield at, "without identity everyone is `anonymous` and has access already; set `identity.mode: oidc`"
    elif not (access.groups or access.subjects or access.when):
        yield at, "everyone may use this connection, so nobody has to ask; name `groups` or `subjects` beside"
    if bool(requests.reviewers) == bool(requests.quorum):
        yield at, "needs one of `reviewers` (one of these agrees) and `quorum` (all parts of it do)"
    for index, part in enumerate(requests.quorum):
        yield from _part(part, (*at, "quorum", index))
    if sum(part.people for part in requests.quorum) > PEOPLE_MAX:
        yield (*at, "quorum"), f"asks for more than {PEOPLE_MAX} people; ask for fewer"
    for name in ("for_max", "expires"):
        if seconds_in(getattr(requests, name)) > LIFETIME_SECONDS_MAX:
            yield (*at, name), "is at most 30d"


def _part(part: AskedBlock, loc: Loc) -> Iterator[tuple[Loc, str]]:
    there = len(set(part.of))
    if part.people > there and all(is_person(name) for name in part.of):
        yield (*loc, "people"), f"asks for {part.people} of {there}, who would never be enough"
