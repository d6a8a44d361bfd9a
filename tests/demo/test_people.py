"""The demo's provider: who may ask for tokens, for what, and what is in them."""

from pathlib import Path

import httpx2
import jwt
import pytest

from sluicegate.demo.people.clients import CLIENTS_MAX, Clients, is_loopback
from sluicegate.demo.people.errors import OAuthError, UnusableFileError
from sluicegate.demo.people.keys import signing_key
from tests.demo.people import CALLBACK, CHALLENGE, RESOURCE, VERIFIER, Clock, Provider, came_back, people


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
    "uri",
    [
        "https://127.0.0.1/callback",
        "http://example.com/callback",
        "http://127.0.0.1.example.com/callback",
        "http://127.0.0.1@example.com/callback",
        "http://127.0.0.1:80@example.com/",
        "http://127.0.0.1\\@example.com/",
        "http://localhost:99999/",
        "http://127.0.0.1/callback#x",
        "http://127.0.0.1/\r\nx: y",
        "javascript:alert(1)",
        "",
    ],
)
async def test_a_browser_is_sent_back_to_this_machine_only(tmp_path: Path, uri: str) -> None:
    assert not is_loopback(uri)
    async with people(tmp_path) as provider:
        answer = await provider.http.post("/register", json={"redirect_uris": [uri]})
        client = await provider.registered()
        page = await provider.authorize(client, redirect_uri=uri)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")
    assert page.status_code == 400
    assert "location" not in page.headers


async def test_addresses_elsewhere_are_left_out_of_a_registration(tmp_path: Path) -> None:
    """Programs register what they may need elsewhere too; here they are told what they got (RFC 7591, 3.2.1)."""
    async with people(tmp_path) as provider:
        wanted = {"redirect_uris": ["https://app.example.com/back", CALLBACK]}
        answer = (await provider.http.post("/register", json=wanted)).json()
    assert answer["redirect_uris"] == [CALLBACK]
    assert answer["token_endpoint_auth_method"] == "none"


@pytest.mark.parametrize(
    ("registered", "asked", "good"),
    [
        ("http://127.0.0.1/callback", "http://127.0.0.1:50123/callback", True),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1:2/callback", True),
        ("http://localhost:1/callback", "http://localhost:1/callback", True),
        ("http://localhost:1/callback", "http://localhost:2/callback", False),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1:1/other", False),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1:1/callback?a=b", False),
        ("http://127.0.0.1:1/callback", "http://[::1]:1/callback", False),
    ],
)
async def test_only_the_port_of_a_loopback_address_may_differ(
    tmp_path: Path, registered: str, asked: str, good: bool
) -> None:
    async with people(tmp_path) as provider:
        client = await provider.registered(registered)
        page = await provider.authorize(client, redirect_uri=asked)
    assert page.status_code == (200 if good else 400)


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


async def test_an_unknown_program_gets_a_page_and_no_redirect(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        answers = [await provider.authorize("demo-unknown"), await provider.authorize("sluicegate")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert not any("location" in answer.headers for answer in answers)


async def test_a_login_that_nobody_opened_is_not_answered(tmp_path: Path) -> None:
    """What a page elsewhere would have to guess to log somebody in unasked."""
    async with people(tmp_path) as provider:
        page = await provider.authorize(await provider.registered())
        unasked = await provider.http.post("/authorize", data={"person": "alice", "login": "guessed"})
    assert unasked.status_code == 400
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_what_a_program_calls_itself_is_text_on_the_page(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        metadata = {"client_name": "<script>x</script>", "redirect_uris": [CALLBACK]}
        client = (await provider.http.post("/register", json=metadata)).json()["client_id"]
        page = await provider.authorize(client)
        device = await provider.http.get("/device?user_code=%22%3E%3Cscript%3Ex")
    assert "<script>" not in page.text + device.text


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


async def begun(provider: Provider) -> dict[str, str]:
    """A device login of the command line."""
    answer = await provider.http.post("/device_authorization", data={"client_id": "sluicegate"})
    assert answer.status_code == 200
    content: dict[str, str] = answer.json()
    return content


async def polled(provider: Provider, device: dict[str, str]) -> httpx2.Response:
    """The program asks whether somebody has confirmed."""
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    return await provider.token("sluicegate", grant_type=grant, device_code=device["device_code"])


async def test_a_program_without_a_browser_waits_until_its_code_is_confirmed(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        device = await begun(provider)
        assert (await polled(provider, device)).json()["error"] == "authorization_pending"
        page = await provider.http.get(device["verification_uri_complete"])
        assert "sluicegate asks" in page.text
        assert (await polled(provider, device)).json()["error"] == "authorization_pending"
        typed = device["user_code"].lower().replace("-", " ")
        await provider.http.post("/device", data={"user_code": typed, "person": "alice"})
        given = await polled(provider, device)
        claims = await provider.claims(given.json()["access_token"])
        assert (claims["sub"], claims["azp"]) == ("alice", "sluicegate")
        assert (await polled(provider, device)).json()["error"] == "expired_token"


async def test_a_code_that_is_refused_or_over_gives_no_token(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        refused, late = await begun(provider), await begun(provider)
        await provider.http.post("/device", data={"user_code": refused["user_code"], "person": "nobody"})
        changed = {"user_code": refused["user_code"], "person": "alice"}
        assert (await provider.http.post("/device", data=changed)).status_code == 400
        assert (await polled(provider, refused)).json()["error"] == "access_denied"
        provider.clock.now += 601
        assert (await polled(provider, late)).json()["error"] == "expired_token"
        unknown = {"user_code": late["user_code"], "person": "alice"}
        assert (await provider.http.post("/device", data=unknown)).status_code == 400


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


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"client_id=sluicegate&client_id=sluicegate", 400),
        (b"client_id=%ff", 400),
        (b"client_id=demo-unknown", 401),
        (b"", 400),
        (b"a=" + b"b" * 40_000, 413),
        (b"&".join(b"a%d=b" % n for n in range(60)), 400),
    ],
)
async def test_a_form_that_is_not_as_it_should_be_is_an_oauth_error(
    tmp_path: Path, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with people(tmp_path) as provider:
        answer = await provider.http.post("/device_authorization", content=body, headers=headers)
        plain = await provider.http.post("/token", content=b"client_id=sluicegate")
    assert answer.status_code == status
    assert answer.json()["error"] in ("invalid_request", "invalid_client")
    assert (plain.status_code, plain.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"redirect_uris": "x"}', b'{"redirect_uris": [1]}', b"[" * 5_000]
)
async def test_a_registration_that_is_no_metadata_is_refused(tmp_path: Path, body: bytes) -> None:
    async with people(tmp_path) as provider:
        answer = await provider.http.post("/register", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_programs_are_forgotten_when_there_are_too_many(tmp_path: Path) -> None:
    clients = Clients(tmp_path)
    first = clients.register({})
    last = [clients.register({}) for _ in range(CLIENTS_MAX)][-1]
    assert Clients(tmp_path).get(last.client_id) == last
    with pytest.raises(OAuthError, match="no client of this id"):
        clients.get(first.client_id)


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "signing-key.pem").write_text("no key")
    with pytest.raises(UnusableFileError, match=r"signing-key\.pem is no key; remove it"):
        signing_key(tmp_path)


def test_a_file_that_is_no_list_of_programs_is_named(tmp_path: Path) -> None:
    for content in ("{", '["x"]', '[{"name": "x"}]'):
        (tmp_path / "clients.json").write_text(content)
        with pytest.raises(UnusableFileError, match=r"clients\.json is no list of programs; remove it"):
            Clients(tmp_path)


def test_the_challenge_of_these_tests_is_that_of_their_verifier() -> None:
    assert len(CHALLENGE) == 43
    assert 43 <= len(VERIFIER) <= 128
