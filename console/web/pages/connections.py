"""/connections: what is registered, the rules in force on it, and how it did lately."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.roles import Role
from console.web.settings import ConnectionShown
from console.web.site import Site
from sinks.clickhouse import StoreAwayError
from sinks.readers import Reader, ReadError

LATELY = """
SELECT connection, count(), countIf(is_error), countIf(verdict = 'deny'), max(started_at),
       round(quantileTDigest(0.95)(latency_ms), 1)
FROM v_exchanges WHERE started_at > now64(6) - INTERVAL 1 HOUR GROUP BY connection
"""


@dataclass(frozen=True, slots=True)
class Lately:
    """One hour of a connection: calls, errors, refusals, the last call (ISO), 95 of 100 took at most so many ms."""

    calls: int
    errors: int
    denied: int
    last_at: str
    p95_ms: float

    @property
    def state(self) -> str:
        """`ok`, or `error` where more than half of its calls failed."""
        return "error" if self.errors * 2 > self.calls else "ok"


def routes(site: Site) -> list[BaseRoute]:
    """One."""

    async def connections(request: Request) -> Response:
        viewer = await site.viewer(request, Role.VIEWER)
        shown = [each for each in site.web.connections if viewer.sees(each.name)]
        lately, fault = await lately_of(site.reader)
        await site.looked(viewer, "connections.view", "connections")
        return site.page(
            request,
            viewer,
            "connections.html",
            rows=[_row(site, each, lately) for each in shown],
            some=bool(site.web.connections),
            fault=fault,
        )

    return [Route("/connections", connections, methods=["GET"])]


async def lately_of(reader: Reader) -> tuple[dict[str, Lately], str]:
    """By connection, and what kept it from being known: the page is worth showing without it."""
    try:
        table = await reader.query(LATELY)
    except (StoreAwayError, ReadError) as error:
        return {}, str(error)
    found = {}
    for name, calls, errors, denied, last_at, p95 in table.rows:
        found[str(name)] = Lately(int(calls), int(errors), int(denied), str(last_at), float(p95 or 0))
    return found, ""


def _row(site: Site, shown: ConnectionShown, lately: dict[str, Lately]) -> dict[str, Any]:
    return {
        "shown": shown,
        "version": site.control.policies.get(shown.name, ""),
        "lately": lately.get(shown.name),
    }
