"""A session token names the connection by the URL at which it is served."""

from __future__ import annotations

import time

import jwt
import pytest

from gateway.edge.identity import Identity, TokenError, resource_of
from gateway.edge.tokens import SessionTokenIssuer
from gateway.sessions import Principal
from gateway.settings import ConnectionKind, IdentitySettings, SessionTokens
from tests.gateway.tokens.conftest import PUBLIC_URL, SEED

KINDS = {
    "tools": ConnectionKind.MCP,
    "gitlab": ConnectionKind.HTTP,
    "prod": ConnectionKind.KUBERNETES,
}
SETTINGS = IdentitySettings("oidc", PUBLIC_URL)


def issuer() -> SessionTokenIssuer:
    return SessionTokenIssuer(SessionTokens(SEED), f"{PUBLIC_URL}/", KINDS)


def alice() -> Principal:
    return Principal("https://id.example.com", "alice", "t-1", expires_at=time.time() + 600)


@pytest.mark.parametrize(
    ("name", "url"), [("tools", "/mcp/tools"), ("gitlab", "/http/gitlab"), ("prod", "/k8s/prod")]
)
async def test_a_session_token_is_for_the_url_at_which_its_connection_is_served(name: str, url: str) -> None:
    given = issuer().give(alice(), name, "a look")
    claims = jwt.decode(given.token, options={"verify_signature": False})
    assert claims["aud"] == f"{PUBLIC_URL}{url}" == resource_of(SETTINGS, name, KINDS[name])
    identity = Identity(SETTINGS, issuer())
    assert (await identity.verify(given.token, f"{PUBLIC_URL}{url}")).connection == name
    with pytest.raises(TokenError, match="another resource"):
        await identity.verify(given.token, f"{PUBLIC_URL}{url}-2")


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("/k8s/prod", "prod"),
        ("/http/gitlab", "gitlab"),
        ("/mcp/tools", "tools"),
        ("/mcp/prod", ""),  # served elsewhere
        ("/k8s/tools", ""),
        ("/mcp/gitlab", ""),
        ("/k8s/prod/api", ""),
        ("/k8s/prod?x=1", ""),
        ("/k8s/", ""),
    ],
)
def test_only_the_url_of_a_connection_names_it(resource: str, name: str) -> None:
    assert issuer().connection_of(f"{PUBLIC_URL}{resource}") == name
