"""/policy: the rules of each connection as the gateways recorded them when they took them, and what changed.

Nothing is read from files here: what the page shows is what was in force, whichever machine the files are on.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.roles import Role
from console.web.site import Site
from console.web.viewer import Viewer
from sinks.readers import AdminAct, AdminFilter

LOAD, ACTS_MAX, VERSIONS_MAX = "policy.load", 1_000, 50
AROUND = 3  # lines of a difference that stay as they were


@dataclass(frozen=True, slots=True)
class Version:
    """Rules of a connection: since when (ISO) they were taken first, and their text; None where it is not kept."""

    version: str
    since: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference: `added`, `gone`, `place` or `same`."""

    kind: str
    text: str


def routes(site: Site) -> list[BaseRoute]:
    """One."""

    async def policy(request: Request) -> Response:
        viewer = await site.viewer(request, Role.VIEWER)
        name = request.query_params.get("connection", "")
        if name and not (viewer.sees(name) and name in _known(site)):
            await site.absent(viewer, "connection", name, exists=name in _known(site))
        if not name:
            await site.looked(viewer, "policy.view", "policies")
            return site.page(request, viewer, "policies.html", rows=_rows(site, viewer))
        return await _one(site, viewer, request, name)

    return [Route("/policy", policy, methods=["GET"])]


async def _one(site: Site, viewer: Viewer, request: Request, name: str) -> Response:
    acts = await site.reader.admin(AdminFilter(action=LOAD, target=name), ACTS_MAX)
    versions = versions_of(acts)
    old, new = _chosen(request, versions, site.control.policies.get(name, ""))
    await site.looked(viewer, "policy.view", name, old=old and old.version, new=new and new.version)
    return site.page(
        request,
        viewer,
        "policy.html",
        connection=name,
        in_force=site.control.policies.get(name, ""),
        versions=versions,
        labels=[[each.version, f"{each.version[:12]} since {each.since[:16]} UTC"] for each in versions],
        old=old,
        new=new,
        lines=list(difference(old, new)) if old and new else [],
    )


def versions_of(acts: Sequence[AdminAct]) -> list[Version]:
    """The latest taken first; every start of a gateway tells anew what it took, which is no other version."""
    found: list[Version] = []
    for act in reversed(acts):
        detail: dict[str, Any] = json.loads(act["detail"] or "{}")
        version, text = str(detail.get("version", "")), detail.get("rules")
        if act["outcome"] == "done" and version and (not found or found[-1].version != version):
            found.append(Version(version, act["at"], text if isinstance(text, str) else None))
    return found[-VERSIONS_MAX:][::-1]


def difference(old: Version, new: Version) -> Iterator[Line]:
    """What changed from `old` to `new`; nothing where a text is not kept."""
    if old.text is None or new.text is None:
        return
    texts = old.text.splitlines(), new.text.splitlines()
    for line in list(difflib.unified_diff(*texts, lineterm="", n=AROUND))[2:]:
        kind = {"+": "added", "-": "gone", "@": "place"}.get(line[:1], "same")
        yield Line(kind, line)


def _chosen(
    request: Request, versions: list[Version], in_force: str
) -> tuple[Version | None, Version | None]:
    """The two to compare: those of the address, else what is in force and what was before it."""
    by_name = {version.version: version for version in reversed(versions)}
    new = by_name.get(request.query_params.get("new", "") or in_force) or next(iter(versions), None)
    old = by_name.get(request.query_params.get("old", ""))
    if old is None and new is not None:
        place = versions.index(new)
        old = versions[place + 1] if place + 1 < len(versions) else None
    return old, new


def _known(site: Site) -> set[str]:
    return {each.name for each in site.web.connections} | set(site.control.policies)


def _rows(site: Site, viewer: Viewer) -> list[dict[str, Any]]:
    in_force = site.control.policies
    files = {each.name: bool(each.policy_file) for each in site.web.connections}
    names = sorted(name for name in _known(site) if viewer.sees(name))
    return [
        {"name": name, "version": in_force.get(name, ""), "has_rules": files.get(name, True)}
        for name in names
    ]
