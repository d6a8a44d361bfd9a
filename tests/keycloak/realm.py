"""The realm that is imported: two people of different groups, and clients with and without our audience."""

from __future__ import annotations

from typing import Any

REALM = "people"
AUDIENCE = "sluicegate"
PEOPLE = {"alice": "sre", "bob": "dev"}  # each one's password is the name twice
SERVICE_SECRET = "only-for-this-run"


def password(name: str) -> str:
    """What a person logs in with."""
    return name * 2


def realm() -> dict[str, Any]:
    """The realm as Keycloak imports it."""
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "accessTokenLifespan": 300,
        "groups": [{"name": group} for group in PEOPLE.values()],
        "users": [_person(name, group) for name, group in PEOPLE.items()],
        "clients": [
            _client("agent", publicClient=True, directAccessGrantsEnabled=True),
            _client("stranger", audience=None, publicClient=True, directAccessGrantsEnabled=True),
            _client("nightly", secret=SERVICE_SECRET, serviceAccountsEnabled=True, standardFlowEnabled=False),
        ],
    }


def mappers(audience: str | None = AUDIENCE) -> list[dict[str, Any]]:
    """What puts the groups, and the audience where there is one, into access tokens.

    The groups have a claim of their own: a client that asks for the scope microprofile-jwt gets roles in `groups`.
    """
    groups = {"claim.name": "member_of", "full.path": "false", "access.token.claim": "true"}
    found = [_mapper("groups", "oidc-group-membership-mapper", groups)]
    if audience is not None:
        config = {"included.custom.audience": audience, "access.token.claim": "true"}
        found.append(_mapper("audience", "oidc-audience-mapper", config))
    return found


def _mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


def _client(name: str, audience: str | None = AUDIENCE, **more: Any) -> dict[str, Any]:
    return {
        "clientId": name,
        "protocol": "openid-connect",
        "redirectUris": ["http://127.0.0.1:1/callback"],
        "protocolMappers": mappers(audience),
        **more,
    }


def _person(name: str, group: str) -> dict[str, Any]:
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@example.com",
        "emailVerified": True,
        "firstName": name.title(),
        "lastName": "Example",
        "groups": [f"/{group}"],
        "realmRoles": [f"default-roles-{REALM}"],  # as people have them who are not imported
        "credentials": [{"type": "password", "value": password(name), "temporary": False}],
    }
