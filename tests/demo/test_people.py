"""The demo's provider: a login in a browser, what it gives, and what is in the tokens."""

from pathlib import Path

import jwt
import pytest

from sluicegate.demo.people.clients import Clients
from sluicegate.demo.people.errors import UnusableFileError
from sluicegate.demo.people.keys import signing_key
from tests.demo.people import CALLBACK, CHALLENGE, RESOURCE, VERIFIER, Clock, came_back, people


async def test_both_discovery_documents_are_the_same_and_name_what_answers(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        openid = (await provider.http.get("/.well-known/openid-configuration")).json()
        oauth = (await provider.http.get("/.well-known/oauth-authorization-server")).json()
        keys = (await provider.http.get(openid["jwks_uri"])).json()["keys"]
    assert openid == oauth
    assert openid["issuer"] == provider.issuer
    assert openid["code_challenge_methods_supported"] == ["S256"]
    assert [(key["kty"], key["alg"], "d" in key) for key in keys] == [("EC", "ES256", False)]


async def test_a_login_ends_in_an_access_token_for_the_resource_asked_for(tmp_path: Path) -> None:
    other = RESOURCE.replace("demo", "other")
    async with people(tmp_path) as provider:
        client = await provider.registered()
        back = await provider.log_in(client, "bob", resource=other)
        assert (back["state"], back["iss"]) == ("s t&a=te", provider.issuer)
        answer = await provider.fetched(client, back["code"], redirect_uri=CALLBACK, resource=other)
        given = answer.json()
        claims = await provider.claims(given["access_token"], other)
    assert answer.headers["cache-control"] == "no-store"
    header = jwt.get_unverified_header(given["access_token"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert (claims["sub"], claims["groups"], claims["email"]) == ("bob", ["developers"], "bob@shop.example")
    assert (claims["azp"], claims["aud"]) == (client, other)
    assert claims["exp"] - claims["iat"] == given["expires_in"] == 900
    assert claims["jti"]
    assert "id_token" not in given


async def test_without_a_resource_the_token_is_for_the_connection_of_the_demo(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        client = await provider.registered()
        back = await provider.log_in(client, scope="openid offline_access admin", nonce="n")
        given = (await provider.fetched(client, back["code"])).json()
        assert (await provider.claims(given["access_token"]))["groups"] == ["sre"]
        assert (await provider.claims(given["id_token"], client))["nonce"] == "n"
    assert given["scope"] == "openid offline_access"


@pytest.mark.parametrize(
    "resource",
    [
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/mcp/",
        "http://127.0.0.1:8080/mcp/../token",
        "http://127.0.0.1:8080.example.com/mcp/demo",
        "https://gateway.example.com/mcp/demo",
        f"{RESOURCE}#fragment",
    ],
)
async def test_a_resource_elsewhere_is_refused(tmp_path: Path, resource: str) -> None:
    async with people(tmp_path) as provider:
        client = await provider.registered()
        back = came_back(await provider.authorize(client, resource=resource))
    assert (back["error"], back["state"]) == ("invalid_target", "s t&a=te")
    assert back["iss"] == provider.issuer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_a_login_without_pkce_goes_back_with_an_error(
    tmp_path: Path, changes: dict[str, str], error: str
) -> None:
    async with people(tmp_path) as provider:
        back = came_back(await provider.authorize(await provider.registered(), **changes))
    assert back["error"] == error
    assert "code" not in back


async def test_a_login_that_nobody_opened_is_not_answered(tmp_path: Path) -> None:
    """What a page elsewhere would have to guess to log somebody in unasked."""
    async with people(tmp_path) as provider:
        page = await provider.authorize(await provider.registered())
        unasked = await provider.http.post("/authorize", data={"person": "alice", "login": "guessed"})
    assert unasked.status_code == 400
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "another"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/other"}, "invalid_grant"),
        ({"resource": RESOURCE + "-2"}, "invalid_target"),
        ({"code_verifier": ""}, "invalid_request"),
    ],
)
async def test_a_code_is_good_for_its_own_login_only_and_for_one_try(
    tmp_path: Path, changes: dict[str, str], error: str
) -> None:
    async with people(tmp_path) as provider:
        client = await provider.registered()
        code = (await provider.log_in(client))["code"]
        assert (await provider.fetched(client, code, **changes)).json()["error"] == error
        assert (await provider.fetched(client, code)).json()["error"] == "invalid_grant"


async def test_a_code_is_good_for_its_own_program_once_and_for_a_minute(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        client, other = await provider.registered(), await provider.registered()
        stolen, late = [(await provider.log_in(client))["code"] for _ in range(2)]
        assert (await provider.fetched(other, stolen)).json()["error"] == "invalid_grant"
        provider.clock.now += 61
        assert (await provider.fetched(client, late)).json()["error"] == "invalid_grant"
        fresh = (await provider.log_in(client))["code"]
        assert (await provider.fetched(client, fresh)).status_code == 200
        assert (await provider.fetched(client, fresh)).json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_good_once_and_for_its_own_program(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        client, other = await provider.registered(), await provider.registered()
        given = (await provider.fetched(client, (await provider.log_in(client, "bob"))["code"])).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        assert (await provider.token(other, **refresh)).json()["error"] == "invalid_grant"
        again = (await provider.token(client, **refresh)).json()
        assert (await provider.claims(again["access_token"]))["sub"] == "bob"
        assert (await provider.token(client, **refresh)).json()["error"] == "invalid_grant"
        provider.clock.now += 13 * 3600
        refresh["refresh_token"] = again["refresh_token"]
        assert (await provider.token(client, **refresh)).json()["error"] == "invalid_grant"


async def test_an_access_token_is_no_refresh_token(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        client = await provider.registered()
        given = (await provider.fetched(client, (await provider.log_in(client))["code"])).json()
        answer = await provider.token(client, grant_type="refresh_token", refresh_token=given["access_token"])
    assert answer.json()["error"] == "invalid_grant"


async def test_tokens_and_programs_outlive_a_restart(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        port = int(provider.issuer.rpartition(":")[2])
        client = await provider.registered()
        given = (await provider.fetched(client, (await provider.log_in(client))["code"])).json()
    async with people(tmp_path, Clock(), port) as again:
        assert (await again.claims(given["access_token"]))["sub"] == "alice"
        answer = await again.token(client, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert answer.status_code == 200


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    signing_key(folder)
    Clients(folder).register({})
    kept = [folder, *folder.iterdir()]
    assert len(kept) == 3
    assert not any(path.stat().st_mode & 0o077 for path in kept)


async def test_a_name_that_is_not_this_machines_is_refused_everywhere(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        for path in ("/jwks", "/authorize", "/.well-known/openid-configuration"):
            for host in ("people.example.com", "127.0.0.1.example.com", ""):
                assert (await provider.http.get(path, headers={"Host": host})).status_code == 400


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "signing-key.pem").write_text("no key")
    with pytest.raises(UnusableFileError, match=r"signing-key\.pem is no key; remove it"):
        signing_key(tmp_path)


def test_the_challenge_of_these_tests_is_that_of_their_verifier() -> None:
    assert len(CHALLENGE) == 43
    assert 43 <= len(VERIFIER) <= 128
