"""Whose eyes an approval is shown to, and the words of a form: what all pages of the inbox share."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from starlette.requests import Request

from console.api.approvals import Decision
from console.errors import DeskError
from console.sight import Sight
from console.standing import Standing
from console.web.failures import Refusal, forbidden
from console.web.pages.inbox_may import May, may
from console.web.site import Site
from console.web.viewer import Role, Viewer

STATUS: Mapping[str, int] = {"not_found": 404, "refused": 409, "unavailable": 503}
"""What a page answers with when the desk did not do what was wanted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a form that did not do what its author wanted, and what it said."""

    status: int = 200
    text: str = ""
    form: Mapping[str, str] = field(default_factory=dict)


NOTHING = Told()
"""Nothing went wrong."""


def told_of(error: DeskError, form: Mapping[str, str] | None = None) -> Told:
    """What the desk said."""
    return Told(STATUS[error.reason], str(error), form or {})


def sight_of(site: Site, viewer: Viewer) -> Sight:
    """What the viewer may see and decide now, as over the API; auditors and admins see all."""
    caller = viewer.caller
    return site.desk.sight(
        caller.person,
        proven=caller.proven,
        auditor=caller.auditor or viewer.may(Role.AUDITOR, Role.ADMIN),
        revoker=revokes(site, viewer),
    )


def revokes(site: Site, viewer: Viewer) -> bool:
    """Whether the viewer may take back whatever anybody asked for."""
    groups = viewer.caller.person.groups
    return viewer.caller.revoker or not set(site.settings.revoker_groups).isdisjoint(groups)


def may_of(site: Site, viewer: Viewer, standing: Standing) -> May:
    """What the viewer may say to it."""
    return may(
        standing,
        sight_of(site, viewer),
        decides=viewer.may(Role.APPROVER),
        revoker=revokes(site, viewer),
        now=time.time_ns() // 1_000,
    )


async def seen(site: Site, request: Request, viewer: Viewer) -> Standing:
    """The approval in the path, where the viewer may see it. Raises Refusal."""
    check_ready(site)
    try:
        approval_id = str(UUID(request.path_params["id"]))
    except ValueError:
        await site.absent(viewer, "approval", request.path_params["id"][:100])
    standing = site.desk.standing(approval_id)
    if standing is None or not sight_of(site, viewer).sees(standing):
        await site.absent(viewer, "approval", approval_id, exists=standing is not None)
    return standing


def check_ready(site: Site) -> None:
    """Raises Refusal while approvals have not been read."""
    if not site.desk.ready:
        fault = site.desk.fault or "they are being read"
        text = f"Approvals have not been read yet: {fault}"
        raise Refusal(503, "Approvals are not here yet", text, "Try again.", {"Retry-After": "5"})


def word_of(form: dict[str, str]) -> Decision:
    """What a form says, with the same bounds as over the API. Raises Refusal."""
    try:
        return msgspec.convert(form, Decision)
    except msgspec.ValidationError as error:
        todo = "Go back, load the approval anew, and try again."
        raise Refusal(422, "This cannot be sent", str(error), todo) from None


def check_role(viewer: Viewer, standing: Standing, word: Decision, sight: Sight) -> None:
    """Who only looks here decides nothing; whoever asked may always think better of it. Raises Refusal."""
    if viewer.may(Role.APPROVER) or (word.verb == "revoke" and sight.asked(standing)):
        return
    raise forbidden(Role.APPROVER, viewer.caller.person.groups)
