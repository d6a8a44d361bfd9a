"""/looked: who looked at what, decided and changed what, from the records of topic `admin`. For auditors."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.asked import moment_of, words_of
from console.web.layout import query
from console.web.roles import Role
from console.web.site import Site
from sinks.readers import AdminAct, AdminFilter

PAGE = 100
FILTERS = ("actor", "action", "target", "since", "until", "before")
ACTIONS = (
    *("session.view", "session.search", "frame.bytes", "trail.refused", "console.login", "console.logout"),
    *(
        "approval.approve",
        "approval.deny",
        "approval.revoke",
        "policy.load",
        "session.kill",
        "principal.block",
    ),
)


def routes(site: Site) -> list[BaseRoute]:
    """One."""

    async def looked(request: Request) -> Response:
        viewer = await site.viewer(request, Role.AUDITOR)
        given = words_of(request, FILTERS)
        wanted = AdminFilter(
            given.get("actor", ""),
            given.get("action", ""),
            given.get("target", ""),
            moment_of(given, "since", viewer.zone),
            moment_of(given, "until", viewer.zone),
            before=given.get("before", ""),
        )
        rows = await site.reader.admin(wanted, PAGE + 1)
        await site.looked(viewer, "admin.view", "admin", **given)
        shown = [_row(row) for row in rows[:PAGE]]
        following = f"/looked{query(given, before=rows[PAGE - 1]['at'])}" if len(rows) > PAGE else ""
        first = f"/looked{query(given, before='')}" if given.get("before") else ""
        return site.page(
            request,
            viewer,
            "looked.html",
            rows=shown,
            given=given,
            following=following,
            first=first,
            actions=ACTIONS,
        )

    return [Route("/looked", looked, methods=["GET"])]


def _row(act: AdminAct) -> dict[str, Any]:
    """With its detail as pairs; what is no object is shown as it is."""
    try:
        detail = json.loads(act["detail"] or "{}")
    except ValueError:
        detail = act["detail"]
    pairs = detail if isinstance(detail, dict) else {"": detail}
    shown = [(name, _text(value)) for name, value in pairs.items() if name not in ("through", "rules")]
    return {**act, "pairs": shown, "link": _link(act)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _link(act: AdminAct) -> str:
    """The page that was looked at, where it is one."""
    kind, target = act["action"].partition(".")[0], act["target"]
    place = {"session": "/sessions/", "approval": "/approvals/", "finding": "/findings/"}.get(kind)
    return f"{place}{target}" if place and len(target) == 36 and act["action"] != "session.search" else ""
