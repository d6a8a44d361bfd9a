"""The reader over HTTP: asks the process that owns the embedded store. Same answers as asking the store itself."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import aiohttp

from sinks.clickhouse import StoreAwayError
from sinks.parameters import pairs
from sinks.readers import (
    AdminAct,
    AdminFilter,
    ApprovalFilter,
    Branch,
    Exchange,
    Finding,
    FindingFilter,
    FindingRate,
    Frame,
    FrameDetail,
    FrameFilter,
    Options,
    Overview,
    Reader,
    ReadError,
    Scope,
    Session,
    SessionCounts,
    SessionFilter,
    StoredApproval,
    Table,
)
from sinks.settings import SinkSettings

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)


class HttpReader:
    """Asks `url`, with the token of `token_path`."""

    def __init__(self, url: str, token_path: Path) -> None:
        self._url = url
        self._token_path = token_path
        self._http: aiohttp.ClientSession | None = None

    async def sessions(self, wanted: SessionFilter, limit: int) -> list[Session]:
        """See Reader."""
        return cast("list[Session]", await self._get("/api/sessions", {**asdict(wanted), "limit": limit}))

    async def session(self, session_id: str, connections: Scope = None) -> Session | None:
        """See Reader."""
        return cast("Session | None", await self._get_one("/api/sessions", session_id, connections))

    async def session_counts(self, wanted: SessionFilter, buckets: int) -> SessionCounts:
        """See Reader."""
        (found,) = await self._get("/api/session-counts", {**asdict(wanted), "buckets": buckets})
        return cast("SessionCounts", found)

    async def session_exchanges(
        self, session_id: str, limit: int, after: str = "", connections: Scope = None
    ) -> list[Exchange]:
        """See Reader."""
        given = {"limit": limit, "after": after, "connections": connections}
        return cast(
            "list[Exchange]", await self._get(f"{_path('/api/sessions', session_id)}/exchanges", given)
        )

    async def frames(self, wanted: FrameFilter, limit: int) -> list[Frame]:
        """See Reader."""
        return cast("list[Frame]", await self._get("/api/frames", {**asdict(wanted), "limit": limit}))

    async def frame(self, frame_id: str, connections: Scope = None) -> FrameDetail | None:
        """See Reader."""
        return cast("FrameDetail | None", await self._get_one("/api/frames", frame_id, connections))

    async def exchange(self, exchange_id: str, connections: Scope = None) -> Exchange | None:
        """See Reader."""
        return cast("Exchange | None", await self._get_one("/api/exchanges", exchange_id, connections))

    async def tree(self, exchange_id: str, connections: Scope = None) -> list[Branch]:
        """See Reader."""
        given = {"connections": connections}
        return cast("list[Branch]", await self._get(_path("/api/trees", exchange_id), given))

    async def admin(self, wanted: AdminFilter, limit: int) -> list[AdminAct]:
        """See Reader."""
        return cast("list[AdminAct]", await self._get("/api/admin", {**asdict(wanted), "limit": limit}))

    async def findings(self, wanted: FindingFilter, limit: int) -> list[Finding]:
        """See Reader."""
        return cast("list[Finding]", await self._get("/api/findings", {**asdict(wanted), "limit": limit}))

    async def finding(self, finding_id: str, connections: Scope = None) -> Finding | None:
        """See Reader."""
        return cast("Finding | None", await self._get_one("/api/findings", finding_id, connections))

    async def finding_rates(self, connections: Scope = None) -> list[FindingRate]:
        """See Reader."""
        given = {"connections": connections}
        return cast("list[FindingRate]", await self._get("/api/finding-rates", given))

    async def approvals(self, wanted: ApprovalFilter, limit: int) -> list[StoredApproval]:
        """See Reader."""
        given = {**asdict(wanted), "limit": limit}
        return cast("list[StoredApproval]", await self._get("/api/approvals", given))

    async def approval(self, approval_id: str, connections: Scope = None) -> StoredApproval | None:
        """See Reader."""
        return cast("StoredApproval | None", await self._get_one("/api/approvals", approval_id, connections))

    async def overview(self, since: str, until: str, connections: Scope = None) -> Overview:
        """See Reader."""
        given = {"since": since, "until": until, "connections": connections}
        return cast("Overview", (await self._get("/api/overview", given))[0])

    async def options(self, connections: Scope = None) -> Options:
        """See Reader."""
        return cast("Options", (await self._get("/api/options", {"connections": connections}))[0])

    async def query(self, sql: str) -> Table:
        """See Reader."""
        head, *rows = await self._ask("POST", "/api/query", data=sql.encode())
        return Table(head["columns"], rows)

    async def close(self) -> None:
        """See Reader."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _get(self, path: str, params: dict[str, Any]) -> list[Any]:
        return await self._ask("GET", path, params=pairs(params))

    async def _get_one(self, path: str, row_id: str, connections: Scope) -> Any:
        try:
            return (await self._get(_path(path, row_id), {"connections": connections}))[0]
        except ReadError as exc:
            if exc.status == 404:
                return None
            raise

    async def _ask(self, method: str, path: str, **options: Any) -> list[Any]:
        http = self._connected()
        try:
            async with http.request(method, self._url + path, **options) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise StoreAwayError(
                f"the process that owns the store does not answer at {self._url}; is `sluicegate up` running?"
            ) from exc
        if response.status == 503:
            raise StoreAwayError(text.strip())
        if response.status != 200:
            raise ReadError(text.strip(), response.status)
        return [json.loads(line) for line in text.splitlines() if line]

    def _connected(self) -> aiohttp.ClientSession:
        if self._http is None:
            try:
                token = self._token_path.read_text(encoding="ascii").strip()
            except OSError as exc:
                raise StoreAwayError(
                    f"the query token {self._token_path} cannot be read ({exc.strerror}); "
                    "is `sluicegate up` running with this data_dir, and as this user?"
                ) from exc
            self._http = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT, trust_env=False
            )
        return self._http


def open_reader(settings: SinkSettings) -> Reader:
    """The reader for `settings`: of the server itself, or over HTTP from the owner of the embedded store."""
    if not settings.clickhouse.embedded:
        from sinks.sql_reader import SqlReader  # noqa: PLC0415  # its driver takes its time to import

        return SqlReader(settings.clickhouse)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host
    shown = f"[{host}]" if ":" in host else host
    return HttpReader(f"http://{shown}:{settings.port}", settings.token_path)


def _path(below: str, row_id: str) -> str:
    return f"{below}/{quote(row_id, safe='')}"
