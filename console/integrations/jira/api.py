"""Jira's REST API, as one account."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession

from console.integrations.secrets import Secrets
from console.integrations.settings import Jira
from console.integrations.vendor import Answer, DeliveryError, Vendor

LABEL = "sluicegate"


class JiraApi:
    """Calls below `/rest/api/3`. All raise DeliveryError, CredentialError."""

    def __init__(self, settings: Jira, http: ClientSession, timeout_seconds: float) -> None:
        self._base = f"{settings.url.rstrip('/')}/rest/api/3"
        self._email = settings.email
        self._token = Secrets("jira", [settings.token])
        self._vendor = Vendor("Jira", http, timeout_seconds)
        self._me = ""

    async def read(self, *path: str, **query: str) -> Answer:
        """GET."""
        return await self._vendor.demand("GET", self._url(path), headers=self._headers(), query=query)

    async def find(self, *path: str, **query: str) -> Answer | None:
        """GET; None when there is no such thing (any more)."""
        answer = await self._vendor.ask("GET", self._url(path), headers=self._headers(), query=query)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise DeliveryError(f"Jira refused with status {answer.status}")
        return answer

    async def write(self, *path: str, document: Mapping[str, Any]) -> Answer:
        """POST."""
        return await self._vendor.demand("POST", self._url(path), headers=self._headers(), json_body=document)

    async def me(self) -> str:
        """The account's own id."""
        if not self._me:
            self._me = (await self.read("myself")).text("accountId")
        if not self._me:
            raise DeliveryError("Jira did not say which account this is")
        return self._me

    async def search(self, jql: str, fields: list[str], most: int) -> list[Any]:
        """Issues; Jira's index may be some seconds late."""
        document = {"jql": jql, "fields": fields, "maxResults": most}
        answer = await self.write("search", "jql", document=document)
        return answer.items("issues")

    def _url(self, path: tuple[str, ...]) -> str:
        return "/".join([self._base, *(quote(part, safe="") for part in path)])

    def _headers(self) -> dict[str, str]:
        token = self._token.text()
        if self._email:
            return {"Authorization": "Basic " + b64encode(f"{self._email}:{token}".encode()).decode()}
        return {"Authorization": f"Bearer {token}"}


def label_of(approval_id: str) -> str:
    """What an approval's issue is found by."""
    return f"{LABEL}-{approval_id}"
