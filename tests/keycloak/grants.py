"""Tokens of the realm without a browser."""

from __future__ import annotations

import aiohttp

from tests.keycloak.realm import SERVICE_SECRET, password
from tests.keycloak.server import Keycloak


async def by_password(
    session: aiohttp.ClientSession,
    keycloak: Keycloak,
    person: str,
    client: str = "agent",
    kind: str = "access_token",
) -> str:
    """A person's token. `kind`: access_token, id_token or refresh_token."""
    form = {"grant_type": "password", "client_id": client, "username": person, "password": password(person)}
    return await _granted(session, keycloak, form | {"scope": "openid"}, kind)


async def of_service(session: aiohttp.ClientSession, keycloak: Keycloak) -> str:
    """The token of the service account, by client credentials."""
    form = {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": SERVICE_SECRET}
    return await _granted(session, keycloak, form, "access_token")


async def _granted(
    session: aiohttp.ClientSession, keycloak: Keycloak, form: dict[str, str], kind: str
) -> str:
    async with session.post(keycloak.token_url, data=form) as answer:
        given = await answer.json()
        assert answer.ok, f"no token for {form['client_id']}: {given}"
        token: str = given[kind]
        return token
