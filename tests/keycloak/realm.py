"""The realm that is imported: two people of different groups, and clients with and without our audience."""

from __future__ import annotations

from typing import Any

REALM = "people"
AUDIENCE = "sluicegate"
PEOPLE = {"alice": "sre", "bob": "dev"}  # each one's password is the name twice
CONSOLE = "console"
SERVICE_SECRET = "only-for-this-run"


def password(name: str) -> str:
    """What a person logs in with."""
    return name * 2


def realm(console: str) -> dict[str, Any]:
    """The realm as Keycloak imports it; people log into the pages of `console`, a URL, by OIDC and by SAML."""
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
            _console_by_oidc(console),
            _console_by_saml(console),
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


def _console_by_oidc(console: str) -> dict[str, Any]:
    """A confidential client whose ID tokens have the groups."""
    groups = {"claim.name": "member_of", "full.path": "false", "id.token.claim": "true"}
    client = _client(CONSOLE, secret=SERVICE_SECRET, redirectUris=[f"{console}/login/callback"])
    return {**client, "protocolMappers": [_mapper("groups", "oidc-group-membership-mapper", groups)]}


def _console_by_saml(console: str) -> dict[str, Any]:
    """A service provider whose assertions are signed, with the subject that OIDC has, groups, mail and name."""
    acs = f"{console}/saml/acs"
    return {
        "clientId": f"{console}/saml/metadata",
        "protocol": "saml",
        "redirectUris": [acs],
        "attributes": {
            "saml.assertion.signature": "true",
            "saml.authnstatement": "true",
            "saml.server.signature": "false",
            "saml.client.signature": "false",
            "saml.force.post.binding": "true",
            "saml_force_name_id_format": "true",
            "saml_name_id_format": "username",
            "saml_assertion_consumer_url_post": acs,
        },
        "protocolMappers": [
            _of_saml("uid", "saml-user-property-mapper", {"user.attribute": "id"}),
            _of_saml("email", "saml-user-property-mapper", {"user.attribute": "email"}),
            _of_saml("name", "saml-user-property-mapper", {"user.attribute": "firstName"}),
            _of_saml("groups", "saml-group-membership-mapper", {"single": "true", "full.path": "false"}),
        ],
    }


def _of_saml(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    named = {"attribute.name": name, "attribute.nameformat": "Basic", **config}
    return {"name": name, "protocol": "saml", "protocolMapper": kind, "config": named}


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
