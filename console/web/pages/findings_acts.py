"""One finding: what it rests on, what was usual, and what people say of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from console.errors import DeskError
from console.minding import Minder
from console.web.failures import forbidden
from console.web.pages.findings_view import (
    VERDICT_WORDS,
    facts_of,
    seen_mark,
    technique_url,
    uuid_in,
    window_of,
)
from console.web.pages.inbox_seen import NOTHING, Told, sight_of, told_of
from console.web.site import Site
from console.web.viewer import Role, Viewer
from schemas.findings import TEXT_CHARACTERS_MAX, FindingAct, FindingVerdict
from sinks.readers import Finding, ReadError

FRAMES_MAX = 12
STORED_SECONDS, LOOK_SECONDS = 3.0, 0.1  # the sink takes about a second to store what was said
ACTS: Mapping[str, FindingAct] = {"acknowledge": "acknowledged", "close": "closed", "reopen": "reopened"}
LOOKS = (Role.VIEWER, Role.AUDITOR, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One text that a finding rests on, and where what it names can be seen; '' for nowhere."""

    text: str
    kind: str = ""
    url: str = ""
    replay: str = ""
    said: str = ""


class FindingActs:
    """Two operations."""

    def __init__(self, site: Site, minder: Minder) -> None:
        self._site, self._minder = site, minder

    async def show(self, request: Request) -> Response:
        """GET /findings/{id}."""
        viewer = await self._site.viewer(request, *LOOKS)
        found = await self._found(request, viewer)
        await self._site.looked(viewer, "finding.view", found["finding_id"], rule=found["rule"])
        return await self._shown(request, viewer, found)

    async def act(self, request: Request) -> Response:
        """POST /findings/{id}: `act` is acknowledge, close, reopen or comment."""
        site = self._site
        viewer = await site.viewer(request, *LOOKS)
        if not minds(viewer):
            raise forbidden("approver or admin, and not auditor", viewer.caller.person.groups)
        form = await site.posted(request, viewer)
        found = await self._found(request, viewer)
        try:
            await self._said(viewer, found, form)
        except DeskError as error:
            return await self._shown(request, viewer, found, told_of(error, form))
        await self._stored(found)
        return site.elsewhere(f"/findings/{found['finding_id']}")

    async def _said(self, viewer: Viewer, found: Finding, form: dict[str, str]) -> None:
        """Raises DeskError where somebody was faster, or for what cannot be meant."""
        if form.get("seen", "") != seen_mark(found):
            text = f"somebody was faster: it is {found['state']} now"
            raise DeskError("refused", f"{text}. Look at it, and say it again if you still mean it")
        comment, verdict = form.get("comment", "").strip(), form.get("verdict", "")
        if len(comment) > TEXT_CHARACTERS_MAX:
            raise DeskError("refused", f"a comment has at most {TEXT_CHARACTERS_MAX} characters")
        act, verdict = _meant(found, form.get("act", ""), comment, verdict)
        said = cast("FindingVerdict", verdict)
        await self._minder.act(viewer.caller.person, found, act, comment, said)

    async def _stored(self, before: Finding) -> None:
        """Returns once the store shows what was said, or after some seconds: the page then says that it lags."""
        mark = seen_mark(before)
        for _ in range(int(STORED_SECONDS / LOOK_SECONDS)):
            found = await self._site.reader.finding(before["finding_id"])
            if found is not None and seen_mark(found) != mark:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _found(self, request: Request, viewer: Viewer) -> Finding:
        """Raises Refusal for one that is not there, or is of a connection that the viewer may not see."""
        finding_id = uuid_in(request.path_params["id"])
        if not finding_id:
            await self._site.absent(viewer, "finding", request.path_params["id"][:100])
        found = await self._site.reader.finding(finding_id)
        if found is None or not viewer.sees(found["connection"]):
            await self._site.absent(viewer, "finding", finding_id, exists=found is not None)
        return found

    async def _shown(
        self,
        request: Request,
        viewer: Viewer,
        found: Finding,
        told: Told = NOTHING,
    ) -> Response:
        return self._site.page(
            request,
            viewer,
            "findings/finding.html",
            told.status,
            finding=found,
            evidence=[await self._evidence(viewer, text, n) for n, text in enumerate(found["evidence"])],
            window=window_of(found),
            facts=facts_of(found),
            technique_url=technique_url(found["technique"]),
            acts=found.get("acts", []),
            seen=seen_mark(found),
            verdicts=VERDICT_WORDS,
            minds=minds(viewer),
            fault=told.text,
            form=told.form,
        )

    async def _evidence(self, viewer: Viewer, text: str, number: int) -> Evidence:
        """The first few ids are looked up, so that they lead to the frame within its session."""
        found_id = uuid_in(text)
        if not found_id:
            return Evidence(text)
        standing = self._site.desk.standing(found_id)
        if standing is not None and sight_of(self._site, viewer).sees(standing):
            return Evidence(text, "approval", f"/approvals/{found_id}")
        if number >= FRAMES_MAX:
            return Evidence(text, "frame", f"/frames/{found_id}")
        try:
            frame: Any = await self._site.reader.frame(found_id)
        except ReadError:
            return Evidence(text)
        if frame is None or not viewer.sees(frame["connection"]):
            return Evidence(text)
        words = (frame["direction"], frame["method"], frame["tool"] or frame["resource"], frame["verdict"])
        replay = f"/sessions/{frame['session_id']}#{frame['exchange_id']}"
        said = " · ".join(word for word in words if word)
        return Evidence(text, "frame", f"/frames/{found_id}", replay, said)


def minds(viewer: Viewer) -> bool:
    """Whether the viewer may say what a finding was. Everybody is an approver where nothing else is configured, so
    an auditor, who looks at what others did, is none here unless an admin."""
    return viewer.may(Role.ADMIN) or (viewer.may(Role.APPROVER) and not viewer.may(Role.AUDITOR))


def _meant(found: Finding, act: str, comment: str, verdict: str) -> tuple[FindingAct, str]:
    """The act on the record. A comment is the act that holds, said again: an open finding is then looked at."""
    if act == "comment":
        if not comment:
            raise DeskError("refused", "write what you found")
        return ("closed", found["verdict"]) if found["state"] == "closed" else ("acknowledged", "")
    if act not in ACTS:
        raise DeskError(
            "refused", f"a finding is acknowledged, closed or reopened; `{act[:40]}` is nothing of that"
        )
    if act == "close" and verdict not in VERDICT_WORDS:
        raise DeskError("refused", "say what it was: choose a verdict")
    return ACTS[act], verdict if act == "close" else ""
