"""The demo's provider: which programs may ask, and where a browser may be sent back to."""

from pathlib import Path

import pytest

from sluicegate.demo.people.clients import CLIENTS_MAX, Clients, is_loopback
from sluicegate.demo.people.errors import OAuthError, UnusableFileError
from tests.demo.people import CALLBACK, people


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


async def test_an_unknown_program_gets_a_page_and_no_redirect(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        answers = [await provider.authorize("demo-unknown"), await provider.authorize("sluicegate")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert not any("location" in answer.headers for answer in answers)


async def test_what_a_program_calls_itself_is_text_on_the_page(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        metadata = {"client_name": "<script>x</script>", "redirect_uris": [CALLBACK]}
        client = (await provider.http.post("/register", json=metadata)).json()["client_id"]
        page = await provider.authorize(client)
        device = await provider.http.get("/device?user_code=%22%3E%3Cscript%3Ex")
    assert "<script>" not in page.text + device.text


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


def test_a_file_that_is_no_list_of_programs_is_named(tmp_path: Path) -> None:
    for content in ("{", '["x"]', '[{"name": "x"}]'):
        (tmp_path / "clients.json").write_text(content)
        with pytest.raises(UnusableFileError, match=r"clients\.json is no list of programs; remove it"):
            Clients(tmp_path)
