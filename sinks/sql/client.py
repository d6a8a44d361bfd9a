"""Asking for saved queries and free SQL from a command: the process that owns the embedded store, or a server."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp

from sinks.clickhouse import StoreAwayError
from sinks.readers import ReadError
from sinks.settings import SinkSettings

TABLE = "JSONCompact"
FORMATS = {"csv": "CSVWithNames", "json": "JSONEachRow", "parquet": "Parquet", "table": TABLE}
_SHAPES = {"date_time_output_format": "iso", "output_format_json_validate_utf8": "1"}
_TIMEOUT = aiohttp.ClientTimeout(total=180, connect=5)


class Analyst(Protocol):
    """Who asks. `form` is one of FORMATS; CSV comes safe for spreadsheets. Raises ReadError and StoreAwayError."""

    async def saved(self, name: str, params: Mapping[str, str], form: str) -> bytes:
        """What the saved query `name` gives."""

    async def free(self, sql: str, params: Mapping[str, str], form: str) -> bytes:
        """What one reading statement gives."""


class OwnerAnalyst:
    """Asks the process that owns the embedded store, at `url`, with the token of `token_path`."""

    def __init__(self, url: str, token_path: Path) -> None:
        self._url = url
        self._token_path = token_path

    async def saved(self, name: str, params: Mapping[str, str], form: str) -> bytes:
        """See Analyst."""
        asked = _params(params) | ({} if form == "table" else {"format": form})
        return await self._ask("GET", f"/api/queries/{quote(name, safe='')}", params=asked)

    async def free(self, sql: str, params: Mapping[str, str], form: str) -> bytes:
        """See Analyst."""
        from sinks.sql.safe_csv import safe_csv  # noqa: PLC0415

        asked = _params(params) | _SHAPES | {"default_format": FORMATS[form]}
        body = await self._ask("POST", "/", params=asked, data=sql.encode())
        return await asyncio.to_thread(safe_csv, body) if form == "csv" else body

    async def _ask(self, method: str, path: str, **options: Any) -> bytes:
        try:
            token = self._token_path.read_text(encoding="ascii").strip()
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT, trust_env=False) as http,
                http.request(method, self._url + path, **options) as response,
            ):
                body = await response.read()
        except (OSError, aiohttp.ClientError, TimeoutError) as exc:
            raise StoreAwayError(
                f"the process that owns the store does not answer at {self._url}; is `sluicegate up` running?"
            ) from exc
        if response.status == 200:
            return body
        text = body.decode("utf-8", "replace").strip()
        raise StoreAwayError(text) if response.status == 503 else ReadError(text, response.status)


class ServerAnalyst:
    """Asks a ClickHouse server as the user of `clickhouse.dsn`, who cannot write with what is asked here."""

    def __init__(self, settings: SinkSettings) -> None:
        self._address = settings.clickhouse

    async def saved(self, name: str, params: Mapping[str, str], form: str) -> bytes:
        """See Analyst."""
        from sinks.sql.saved import SavedError, saved  # noqa: PLC0415

        try:
            query = saved(name)
            return await self._run(query.sql, query.values(params), form)
        except SavedError as exc:
            raise ReadError(str(exc), 404) from exc

    async def free(self, sql: str, params: Mapping[str, str], form: str) -> bytes:
        """See Analyst."""
        return await self._run(sql, params, form)

    async def _run(self, sql: str, params: Mapping[str, str], form: str) -> bytes:
        from sinks.sql.direct import Direct  # noqa: PLC0415  # its driver takes its time to import

        direct = Direct(self._address)
        try:
            answer = await direct.ask(sql, params, FORMATS[form], safe=form == "csv")
        finally:
            await direct.close()
        if answer.code:
            raise ReadError(answer.error)
        return answer.body


def open_analyst(settings: SinkSettings) -> Analyst:
    """The one for `settings`."""
    if not settings.clickhouse.embedded:
        return ServerAnalyst(settings)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host
    shown = f"[{host}]" if ":" in host else host
    return OwnerAnalyst(f"http://{shown}:{settings.port}", settings.token_path)


def table_of(body: bytes) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of an answer in the form `table`."""
    found = json.loads(body)
    return [column["name"] for column in found["meta"]], found["data"]


def _params(params: Mapping[str, str]) -> dict[str, str]:
    return {f"param_{name}": value for name, value in params.items()}
