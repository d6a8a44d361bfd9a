"""The examples, read as the gateway reads them, on tokens of the shape that each provider gives."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.edge.identity import Identity, TokenError
from gateway.sessions import Principal
from gateway.settings import Issuer
from sluicegate.settings import load
from sluicegate.settings.parts import identity_settings
from tests.gateway.identity.minting import NOW, Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import KEYS, ProviderServer, until

EXAMPLES = Path(__file__).parents[3] / "examples" / "identity"
RESOURCE = "https://gateway.example.com/mcp/any"
BARE: dict[str, Any] = {"groups": None, "azp": None, "email": None}

STAFF = {
    "iss": "https://id.example.com/realms/staff",
    "aud": ["sluicegate", "account"],
    "typ": "Bearer",
    "sub": "5b0d2a52-6f0e-4c43-9d43-bd5f4b4cf0a1",
    "azp": "agent",
    "member_of": ["sre"],
    "groups": ["offline_access"],
    "email": "alice@example.com",
    "scope": "openid profile email",
    "realm_access": {"roles": ["offline_access"]},
}
SERVICE_ACCOUNT = STAFF | {
    "sub": "0f5c2f5a-33d4-4d3b-8f5c-8f0b8c3c9a55",
    "azp": "nightly",
    "client_id": "nightly",
    "member_of": ["bots"],
    "email": None,
    "preferred_username": "service-account-nightly",
}
CONTRACTOR = STAFF | {
    "iss": "https://id.example.com/realms/contractors",
    "groups": ["sre"],
    "realm_access": {"roles": ["wiki-reader"]},
    "email": "carol@partner.example",
    "scope": "agents email",
}
ENTRA = BARE | {
    "iss": "https://login.microsoftonline.com/8f1c1b7e-0000-4000-8000-3d8ac2a5b9f0/v2.0",
    "aud": "5d2f7a3c-0000-4000-8000-0b6f1c9e4d21",
    "oid": "11111111-0000-4000-8000-000000000001",
    "sub": "pairwise",
    "azp": "22222222-0000-4000-8000-000000000002",
    "azpacr": "0",
    "groups": ["c9e1d0aa-0000-4000-8000-77f0a1b2c3d4"],
    "preferred_username": "alice@example.com",
    "scp": "Agents.Use",
    "ver": "2.0",
    "jti": None,
    "uti": "abc",
}
OKTA = BARE | {
    "iss": "https://example.okta.com/oauth2/default",
    "aud": "api://sluicegate",
    "sub": "alice@example.com",
    "uid": "00u1",
    "cid": "0oa1",
    "scp": ["openid", "agents"],
    "groups": ["SRE", "Everyone"],
}
GITHUB = BARE | {
    "iss": "https://token.actions.githubusercontent.com",
    "aud": "https://gateway.example.com",
    "sub": "repo:example/deploy:environment:production",
    "repository": "example/deploy",
    "repository_owner": "example",
    "job_workflow_ref": "example/deploy/.github/workflows/release.yml@refs/heads/main",
    "actor": "alice",
    "event_name": "push",
}
GITLAB = BARE | {
    "iss": "https://gitlab.example.com",
    "aud": "https://gateway.example.com",
    "sub": "project_path:platform/deploy:ref_type:branch:ref:main",
    "namespace_path": "platform",
    "ci_config_ref_uri": "gitlab.example.com/platform/deploy//.gitlab-ci.yml@refs/heads/main",
    "user_email": "alice@example.com",
}
POD = BARE | {
    "iss": "https://kubernetes.default.svc.cluster.local",
    "aud": ["sluicegate"],
    "sub": "system:serviceaccount:agents:triage",
    "kubernetes.io": {
        "namespace": "agents",
        "pod": {"name": "triage-7d9", "uid": "u1"},
        "serviceaccount": {"name": "triage", "uid": "u2"},
    },
}

Verify = Callable[[str, dict[str, Any]], Awaitable[Principal]]


@pytest.fixture
async def verify(provider: ProviderServer, tmp_path: Path) -> AsyncIterator[Verify]:
    """Verifies a token with these claims by an example; the example's keys come from the loopback provider."""
    async with AsyncExitStack() as stack:

        async def verified(example: str, claims: dict[str, Any]) -> Principal:
            shutil.copy(EXAMPLES / example, tmp_path)
            (tmp_path / "cluster-keys.json").write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))))
            settings = identity_settings(load(tmp_path / example))
            issuers = tuple(_at_hand(issuer, provider) for issuer in settings.issuers)
            identity = Identity(replace(settings, issuers=issuers), clock=lambda: NOW + 10)
            identity.start()
            stack.push_async_callback(identity.stop)
            await until(lambda: identity.ready)
            return await identity.verify(Mint(claims["iss"], "").token(**claims), RESOURCE)

        yield verified


def _at_hand(issuer: Issuer, provider: ProviderServer) -> Issuer:
    return issuer if issuer.jwks_file else replace(issuer, jwks_url=f"{provider.issuer}{KEYS}")


@pytest.mark.parametrize(
    ("example", "claims", "subject", "groups", "client_id", "email"),
    [
        ("keycloak.yaml", STAFF, STAFF["sub"], ("sre",), "agent", "alice@example.com"),
        ("keycloak.yaml", SERVICE_ACCOUNT, SERVICE_ACCOUNT["sub"], ("bots",), "nightly", ""),
        ("keycloak.yaml", CONTRACTOR, STAFF["sub"], ("wiki-reader",), "agent", "carol@partner.example"),
        ("entra.yaml", ENTRA, ENTRA["oid"], tuple(ENTRA["groups"]), ENTRA["azp"], "alice@example.com"),
        ("okta.yaml", OKTA, "00u1", ("SRE", "Everyone"), "0oa1", "alice@example.com"),
        (
            "github-actions.yaml",
            GITHUB,
            GITHUB["sub"],
            ("example/deploy",),
            GITHUB["job_workflow_ref"],
            "alice",
        ),
        (
            "gitlab.yaml",
            GITLAB,
            GITLAB["sub"],
            ("platform",),
            GITLAB["ci_config_ref_uri"],
            "alice@example.com",
        ),
        ("kubernetes.yaml", POD, POD["sub"], ("agents",), "triage-7d9", ""),
    ],
    ids=["people", "service-account", "contractor", "entra", "okta", "github-actions", "gitlab", "pod"],
)
async def test_an_example_names_the_callers_of_its_provider(
    verify: Verify,
    example: str,
    claims: dict[str, Any],
    subject: str,
    groups: tuple[str, ...],
    client_id: str,
    email: str,
) -> None:
    principal = await verify(example, claims)
    assert (principal.issuer, principal.subject) == (claims["iss"], subject)
    assert (principal.groups, principal.client_id, principal.email) == (groups, client_id, email)


@pytest.mark.parametrize(
    ("example", "claims", "reason"),
    [
        ("keycloak.yaml", CONTRACTOR | {"scope": "email"}, "insufficient_scope"),
        ("keycloak.yaml", STAFF | {"iss": CONTRACTOR["iss"]}, "insufficient_scope"),
        ("keycloak.yaml", STAFF | {"aud": "account"}, "invalid_token"),
        ("keycloak.yaml", STAFF | {"typ": "ID"}, "invalid_token"),
        ("entra.yaml", ENTRA | {"aud": "00000003-0000-0000-c000-000000000000"}, "invalid_token"),
        ("okta.yaml", OKTA | {"scp": ["openid"]}, "insufficient_scope"),
        ("github-actions.yaml", GITHUB | {"aud": "https://github.com/example"}, "invalid_token"),
        ("kubernetes.yaml", POD | {"aud": ["https://kubernetes.default.svc.cluster.local"]}, "invalid_token"),
    ],
)
async def test_an_example_refuses_what_its_provider_gives_for_others(
    verify: Verify, example: str, claims: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TokenError) as caught:
        await verify(example, claims)
    assert caught.value.reason_code == reason


def test_every_example_is_tried_here() -> None:
    assert {file.name for file in EXAMPLES.iterdir()} == {
        "keycloak.yaml",
        "entra.yaml",
        "okta.yaml",
        "github-actions.yaml",
        "gitlab.yaml",
        "kubernetes.yaml",
    }
