"""Keycloak's admin API, as far as the checks need it: its signing keys, and who may register clients."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.keycloak.realm import REALM, mappers
from tests.keycloak.server import Keycloak

_KEYS = "org.keycloak.keys.KeyProvider"
_REGISTRATION = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"


class Admin:
    """The realm, as its administrator sees it."""

    def __init__(self, keycloak: Keycloak, session: aiohttp.ClientSession) -> None:
        self._keycloak, self._session = keycloak, session
        self._base = f"{keycloak.url}/admin/realms/{REALM}"

    async def add_signing_key(self, name: str, priority: int) -> None:
        """A new RS256 key; the one of highest priority signs."""
        config = {"priority": [str(priority)], "algorithm": ["RS256"], "keySize": ["2048"]}
        body = {"name": name, "providerId": "rsa-generated", "providerType": _KEYS, "config": config}
        await self._call("POST", "/components", body)

    async def remove_signing_key(self, key_id: str) -> None:
        """Takes away the key of this kid, for signing and for verifying."""
        keys = await self._call("GET", "/keys")
        provider = next(key["providerId"] for key in keys["keys"] if key["kid"] == key_id)
        await self._call("DELETE", f"/components/{provider}")

    async def let_clients_register(self) -> None:
        """Anyone may register a client, whose tokens then carry the groups and our audience."""
        for policy in await self._call("GET", f"/components?type={_REGISTRATION}"):
            if policy["subType"] == "anonymous":
                await self._call("DELETE", f"/components/{policy['id']}")
        scope = {"name": "gateway", "protocol": "openid-connect", "protocolMappers": mappers()}
        await self._call("POST", "/client-scopes", scope)
        scopes = await self._call("GET", "/client-scopes")
        scope_id = next(found["id"] for found in scopes if found["name"] == "gateway")
        await self._call("PUT", f"/default-default-client-scopes/{scope_id}")

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {await self._token()}"}
        async with self._session.request(method, self._base + path, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.ok, f"{method} {path} was answered {answer.status}: {text}"
            return await answer.json() if text else None

    async def _token(self) -> str:
        """A new one each time: they live for a minute."""
        form = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": "admin",
            "password": self._keycloak.admin_password,
        }
        url = f"{self._keycloak.url}/realms/master/protocol/openid-connect/token"
        async with self._session.post(url, data=form) as answer:
            token: str = (await answer.json())["access_token"]
            return token
