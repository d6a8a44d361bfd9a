"""Approvals: listed, shown, decided."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.api.callers import Caller, Callers
from console.api.problems import Problem, invalid, not_found
from console.api.reading import body_of, check_names, chosen, flag, id_of, moment_of, number
from console.api.shapes import summary, whole
from console.desk import Desk
from console.settings import ApiLimits
from console.sight import Sight
from console.standing import Standing

STATES = ("unread", "pending", "approved", "denied", "expired", "revoked", "used")
KINDS = ("call", "standing", "access", "break_glass")
PAGE = 50
COMMENT_CHARACTERS_MAX = 4_000
FILTERS = ("state", "kind", "mine", "connection", "requester", "since", "limit", "after")


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """What a person says. `digest`: of the call that the person saw; the processor refuses it for any other."""

    verb: Literal["approve", "deny", "revoke", "review"]
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    comment: Annotated[str, msgspec.Meta(max_length=COMMENT_CHARACTERS_MAX)] = ""
    delegation_id: Annotated[str, msgspec.Meta(max_length=36)] = ""


async def take(desk: Desk, caller: Caller, standing: Standing, word: Decision) -> None:
    """Takes to the processor what `caller` says of an approval that the caller may see: the one way, whether it was
    said to the API or on a page. Raises Problem and DeskError."""
    if word.verb == "approve" and standing.request["argument_digest"] and not word.digest:
        raise Problem(422, "invalid", "to approve, send the digest of the call that you have seen")
    await desk.decide(
        standing.approval_id,
        word.verb,
        caller.proven if word.verb == "revoke" else caller.person,
        word.comment,
        digest=word.digest,
        delegation_id=word.delegation_id,
    )


class Approvals:
    """Three operations."""

    def __init__(self, desk: Desk, callers: Callers, limits: ApiLimits) -> None:
        self._desk, self._callers, self._limits = desk, callers, limits

    async def list(self, request: Request) -> Response:
        """GET /api/approvals: what the caller may see, the latest first, page by page."""
        caller = await self._callers.caller(request)
        check_names(request, FILTERS)
        limit = number(request, "limit", min(PAGE, self._limits.page_max), self._limits.page_max)
        sight = caller.sight(self._desk)
        rows = self._rows(request, sight)
        page: list[Standing] = []
        for standing in rows:
            if len(page) == limit:
                return _page(page, sight, _mark(page[-1]))
            page.append(standing)
        return _page(page, sight, None)

    async def show(self, request: Request) -> Response:
        """GET /api/approvals/{id}."""
        caller = await self._callers.caller(request)
        standing = self._seen(request, caller)
        return JSONResponse(whole(standing, caller.sight(self._desk)))

    async def decide(self, request: Request) -> Response:
        """POST /api/approvals/{id}/decision: answered by the processor."""
        caller = await self._callers.caller(request)
        standing = self._seen(request, caller)
        await take(self._desk, caller, standing, await body_of(request, Decision))
        return JSONResponse(whole(self._seen(request, caller), caller.sight(self._desk)))

    def _seen(self, request: Request, caller: Caller) -> Standing:
        if not self._desk.ready:
            raise Problem(503, "unavailable", "approvals have not been read yet", {"Retry-After": "5"})
        standing = self._desk.standing(id_of(request, "approval"))
        if standing is None or not caller.sight(self._desk).sees(standing):
            raise not_found("approval")
        return standing

    def _rows(self, request: Request, sight: Sight) -> Iterator[Standing]:
        kinds, mine = chosen(request, "kind", KINDS), flag(request, "mine")
        since, after = moment_of(request, "since"), _after(request)
        connection = request.query_params.get("connection")
        requester = request.query_params.get("requester")
        for standing in self._desk.standings(states=chosen(request, "state", STATES)):
            asked = standing.request
            names = (asked["principal_subject"], f"{asked['principal_issuer']}|{asked['principal_subject']}")
            if (
                (after is None or _place(standing) < after)
                and (since is None or asked["requested_at"] >= since)
                and (kinds is None or asked["kind"] in kinds)
                and (connection is None or asked["connection"] == connection)
                and (requester is None or requester in names)
                and (sight.waits(standing) if mine else sight.sees(standing))
            ):
                yield standing


def _page(page: list[Standing], sight: Sight, following: str | None) -> Response:
    return JSONResponse({"approvals": [summary(each, sight) for each in page], "next": following})


def _place(standing: Standing) -> tuple[int, str]:
    return standing.request["requested_at"], standing.approval_id


def _mark(standing: Standing) -> str:
    at, approval_id = _place(standing)
    return f"{at}_{approval_id}"


def _after(request: Request) -> tuple[int, str] | None:
    text = request.query_params.get("after")
    if text is None:
        return None
    at, _, approval_id = text.partition("_")
    if not (at.isascii() and at.isdigit() and len(at) < 20 and len(approval_id) == 36):
        raise invalid("after is the `next` of the page before")
    return int(at), approval_id
