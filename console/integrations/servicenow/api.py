"""ServiceNow's Table API, as one user."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession

from console.integrations.secrets import Secrets
from console.integrations.settings import ServiceNow
from console.integrations.vendor import Answer, DeliveryError, Vendor

CLOSED = (401, 403, 404)
"""A table that the user may not read, or that is not there."""


class ServiceNowApi:
    """Calls below `/api/now/table`. All raise DeliveryError, CredentialError."""

    def __init__(self, settings: ServiceNow, http: ClientSession, timeout_seconds: float) -> None:
        self._base = f"{settings.url.rstrip('/')}/api/now/table"
        self._username = settings.username
        self._password = Secrets("servicenow", [settings.password])
        self._vendor = Vendor("ServiceNow", http, timeout_seconds)

    async def query(self, table: str, query: str, fields: tuple[str, ...], most: int) -> list[Any]:
        """Records, their values as they are stored."""
        answer = await self._select(table, query, fields, most)
        if answer.status != 200:
            raise DeliveryError(f"ServiceNow refused to read {table} with status {answer.status}")
        return answer.items("result")

    async def maybe(self, table: str, query: str, fields: tuple[str, ...]) -> Any:
        """The first record; None when there is none, or the user may not read the table."""
        answer = await self._select(table, query, fields, 1)
        if answer.status != 200 and answer.status not in CLOSED:
            raise DeliveryError(f"ServiceNow refused to read {table} with status {answer.status}")
        return answer.member("result", 0)

    async def insert(self, table: str, record: Mapping[str, str]) -> Answer:
        """The record as it is made."""
        return await self._vendor.demand(
            "POST", self._url(table), headers=self._headers(), json_body=dict(record)
        )

    async def update(self, table: str, sys_id: str, record: Mapping[str, str]) -> None:
        """One that is gone needs no update."""
        answer = await self._vendor.ask(
            "PATCH", self._url(table, sys_id), headers=self._headers(), json_body=dict(record)
        )
        if answer.status not in (200, 204, 404):
            raise DeliveryError(f"ServiceNow refused an update with status {answer.status}")

    async def _select(self, table: str, query: str, fields: tuple[str, ...], most: int) -> Answer:
        parameters = {
            "sysparm_query": query,
            "sysparm_fields": ",".join(fields),
            "sysparm_limit": str(most),
            "sysparm_display_value": "false",
            "sysparm_exclude_reference_link": "true",
        }
        return await self._vendor.ask("GET", self._url(table), headers=self._headers(), query=parameters)

    def _url(self, *path: str) -> str:
        return "/".join([self._base, *(quote(part, safe="") for part in path)])

    def _headers(self) -> dict[str, str]:
        pair = f"{self._username}:{self._password.text()}"
        return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}
