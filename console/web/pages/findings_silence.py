"""Silences: for a while nobody is told of some findings. They are raised and stored all the same."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.api.shapes import time_text
from console.errors import DeskError
from console.minding import Minder
from console.web.pages.inbox_seen import NOTHING, Told, told_of
from console.web.site import Site
from console.web.viewer import Role, Viewer
from schemas.control import ControlRecord, silenced_rule

SPANS = {"30m": 1_800, "2h": 7_200, "1d": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400}
NAME_MAX = 1_024
LOOKS = (Role.VIEWER, Role.AUDITOR, Role.ADMIN)


class Silences:
    """Three operations. To silence is for admins: it takes findings from other people's eyes."""

    def __init__(self, site: Site, minder: Minder) -> None:
        self._site, self._minder = site, minder

    async def index(self, request: Request) -> Response:
        """GET /findings/silences; `rule`, `issuer` and `subject` fill the form in."""
        viewer = await self._site.viewer(request, *LOOKS)
        return self._shown(request, viewer, Told(form=dict(request.query_params)))

    async def silence(self, request: Request) -> Response:
        """POST /findings/silences."""
        viewer = await self._site.viewer(request, Role.ADMIN)
        form = await self._site.posted(request, viewer)
        rule, reason = form.get("rule", "").strip(), form.get("reason", "").strip()
        about = form.get("issuer", "").strip(), form.get("subject", "").strip()
        try:
            if max(map(len, (rule, reason, *about))) > NAME_MAX:
                raise DeskError("refused", f"a name or reason has at most {NAME_MAX} characters")
            await self._minder.silence(
                viewer.caller.person, rule, about, seconds=SPANS.get(form.get("for", ""), 0), reason=reason
            )
        except DeskError as error:
            return self._shown(request, viewer, told_of(error, form))
        return self._site.elsewhere("/findings/silences")

    async def unsilence(self, request: Request) -> Response:
        """POST /findings/silences/end: of the one with this `target`."""
        viewer = await self._site.viewer(request, Role.ADMIN)
        form = await self._site.posted(request, viewer)
        found = [each for each in self._held() if each["target"] == form.get("target", "")]
        try:
            if not found:
                raise DeskError("not_found", "there is no such silence any more")
            await self._minder.unsilence(viewer.caller.person, found[0], form.get("reason", "")[:NAME_MAX])
        except DeskError as error:
            return self._shown(request, viewer, told_of(error))
        return self._site.elsewhere("/findings/silences")

    def _held(self) -> list[ControlRecord]:
        return [each for each in self._site.control.records() if each["kind"] == "alerts_silenced"]

    def _shown(
        self,
        request: Request,
        viewer: Viewer,
        told: Told = NOTHING,
    ) -> Response:
        return self._site.page(
            request,
            viewer,
            "findings/silences.html",
            told.status,
            rows=[_row(each) for each in self._held()],
            spans=SPANS,
            fault=told.text,
            form=told.form,
            silences=viewer.may(Role.ADMIN),
        )


def _row(record: ControlRecord) -> dict[str, Any]:
    ends = record["expires_at"]
    return {
        "target": record["target"],
        "rule": silenced_rule(record),
        "subject": record["subject"],
        "issuer": record["issuer"],
        "until": "" if ends is None else time_text(ends),
        "by": record["by"],
        "reason": record["reason"],
    }
