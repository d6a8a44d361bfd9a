"""ServiceNow on loopback: its Table API with encoded queries, who changed what, journals, and rights on tables."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.console.integrations.hook_server import SECRET, message
from tests.console.integrations.vendors import VendorServer

USER, PASSWORD = "sluicegate.bot", "servicenow-password"
JOURNALS = ("comments", "work_notes")


@dataclass
class ServiceNowServer(VendorServer):
    """`tables` by name, each sys_id to record. `closed`: tables that the user may not read."""

    tables: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    silent: bool = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/now/table/{table}", self._query),
            web.post("/api/now/table/{table}", self._insert),
            web.patch("/api/now/table/{table}/{sys_id}", self._update),
        ]

    # -- the Table API

    async def _query(self, request: web.Request) -> web.StreamResponse:
        table = self._table(request)
        if table in self.closed:
            return web.json_response({"error": {"message": "User Not Authorized"}}, status=403)
        wanted = request.query["sysparm_fields"].split(",")
        found = self._selected(table, request.query["sysparm_query"])[: int(request.query["sysparm_limit"])]
        return web.json_response(
            {"result": [{name: each.get(name, "") for name in wanted} for each in found]}
        )

    def _selected(self, table: str, query: str) -> list[dict[str, str]]:
        found = list(self.tables.get(table, {}).values())
        for part in query.split("^"):
            if part.startswith("ORDERBYDESC"):
                found.sort(key=lambda each, name=part[11:]: each[name], reverse=True)  # type: ignore[misc]
            elif part.startswith("ORDERBY"):
                found.sort(key=lambda each, name=part[7:]: each[name])  # type: ignore[misc]
            elif "IN" in part and "=" not in part:
                name, _, values = part.partition("IN")
                found = [each for each in found if each.get(name) in values.split(",")]
            else:
                name, _, value = part.partition("=")
                found = [each for each in found if each.get(name, "") == value]
        return found

    async def _insert(self, request: web.Request) -> web.StreamResponse:
        table, sent = self._table(request), await request.json()
        assert len(sent["short_description"]) <= 160
        assert len(sent["description"]) <= 4_000
        made = {
            "state": "-5",
            "approval": "requested",
            **sent,
            "sys_id": uuid.uuid4().hex,
            "number": f"CHG{len(self.tables.get(table, {})):07d}",
            "sys_created_by": USER,
            "sys_updated_by": USER,
            "sys_mod_count": "0",
            "sys_updated_on": now(),
        }
        self.tables.setdefault(table, {})[made["sys_id"]] = made
        if self.silent:
            self.silent = False
            return web.Response(status=500)
        return web.json_response({"result": made}, status=201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        table, sys_id = self._table(request), request.match_info["sys_id"]
        if sys_id not in self.tables.get(table, {}):
            return web.json_response({"error": {"message": "No Record found"}}, status=404)
        self.change(USER, await request.json(), table, sys_id)
        return web.json_response({"result": self.tables[table][sys_id]})

    def _table(self, request: web.Request) -> str:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {pair}":
            raise web.HTTPUnauthorized
        return request.match_info["table"]

    # -- people in front of it

    def record(self) -> dict[str, str]:
        """The only change request."""
        (found,) = self.tables["change_request"].values()
        return found

    def change(
        self, who: str, values: dict[str, str], table: str = "change_request", sys_id: str = ""
    ) -> None:
        """Somebody saves a form: one update, whatever is in it."""
        record = self.tables[table][sys_id] if sys_id else self.record()
        for name, value in values.items():
            if name in JOURNALS:
                self._row(
                    "sys_journal_field",
                    element_id=record["sys_id"],
                    element=name,
                    value=value,
                    sys_created_by=who,
                )
            else:
                facts = {"documentkey": record["sys_id"], "fieldname": name, "newvalue": value, "user": who}
                self._row("sys_audit", **facts)
                record[name] = value
        record["sys_updated_by"], record["sys_updated_on"] = who, now()
        record["sys_mod_count"] = str(int(record["sys_mod_count"]) + 1)

    def said(self) -> list[str]:
        """Our comments."""
        rows = self.tables.get("sys_journal_field", {}).values()
        return [row["value"] for row in rows if row["sys_created_by"] == USER]

    def _row(self, table: str, **facts: str) -> None:
        rows = self.tables.setdefault(table, {})
        rows[str(len(rows))] = {**facts, "sys_created_on": f"{len(rows):09d}"}


def now() -> str:
    """As the Table API writes times."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())


async def nudge(
    http: aiohttp.ClientSession,
    console: str,
    *,
    secret: str = SECRET,
    at: float | None = None,
    name: str = "",
) -> int:
    """The signed call of a business rule; the status."""
    sent = message({"sys_id": "1"}, secret=secret, at=at, message_id=name)
    async with http.post(
        f"{console}/integrations/servicenow", data=sent.body, headers=sent.headers
    ) as response:
        return response.status
