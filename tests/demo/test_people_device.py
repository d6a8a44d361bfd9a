"""The demo's provider: logging in from a terminal, by a code."""

from pathlib import Path

import httpx2
import pytest

from tests.demo.people import Provider, people


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
