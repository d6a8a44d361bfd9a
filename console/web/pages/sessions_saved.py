"""Saved searches of the viewer: kept, forgotten, listed."""

import json
import time
from collections import deque
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from console.directory import Person
from console.web.failures import Refusal
from console.web.marks import hidden
from console.web.pages.search import Search, search_of
from console.web.pages.sessions_kept import FORGET, NAME_CHARACTERS_MAX, SAVE, Kept, acts_of, standing
from console.web.site import Site
from console.web.viewer import Role, Viewer
from sinks.readers import AdminAct

READ_SECONDS = 30.0  # what was read counts so long; another console may have written since
FRESH_SECONDS = 120.0
FRESH_MAX = 1_000
READ_MAX = 1_000


class Saved:
    """Reads and writes them. What was written here is known at once, before the store has it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._fresh: deque[tuple[float, AdminAct]] = deque(maxlen=FRESH_MAX)
        self._read: dict[str, tuple[float, list[AdminAct]]] = {}

    async def of(self, viewer: Viewer) -> list[Kept]:
        """The viewer's, by name."""
        person = viewer.caller.person
        acts = await self._acts(person)
        since = time.monotonic() - FRESH_SECONDS
        return standing([*acts, *(act for at, act in self._fresh if at > since)], person)

    async def _acts(self, person: Person) -> list[AdminAct]:
        read = self._read.get(person.name)
        if read is None or read[0] < time.monotonic():
            if len(self._read) >= READ_MAX:
                self._read.clear()
            acts = await acts_of(self._site.reader, person)
            read = self._read[person.name] = (time.monotonic() + READ_SECONDS, acts)
        return read[1]

    async def change(self, request: Request) -> Response:
        """POST /sessions/saved: `name` and `query` keep a search, with `forget` the name is forgotten."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        form = await self._site.posted(request, viewer)
        name = form.get("name", "").strip()
        if not 1 <= len(name) <= NAME_CHARACTERS_MAX or any(hidden(each) or each == "\n" for each in name):
            raise Refusal(
                400,
                "This name cannot be kept",
                f"A saved search has a name of 1 to {NAME_CHARACTERS_MAX} visible characters.",
                "Go back and give it another name.",
            )
        search = search_of(parse_qsl(form.get("query", "")), viewer.zone)
        if search.faults:
            raise Refusal(
                400, "This search cannot be kept", " ".join(search.faults), "Go back and change it."
            )
        await self._write(viewer, FORGET if form.get("forget") else SAVE, name, search)
        return self._site.elsewhere(search.address())

    async def _write(self, viewer: Viewer, action: str, name: str, search: Search) -> None:
        detail = {"query": search.query()} if action == SAVE else {}
        await self._site.record(viewer, action, name, "done", **detail)
        person = viewer.caller.person
        act: AdminAct = {
            "admin_id": str(uuid4()),
            "at": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "actor_kind": "console",
            "actor": person.subject,
            "actor_issuer": person.issuer,
            "action": action,
            "target": name,
            "reason": "",
            "outcome": "done",
            "detail": json.dumps(detail),
        }
        self._fresh.append((time.monotonic(), act))
