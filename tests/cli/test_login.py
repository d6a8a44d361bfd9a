"""A person logs in by the device flow and gets session tokens: real commands, a provider, a token endpoint."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.sessions import Principal
from sluicegate.login.device import Asked, DeviceFlow, discover
from sluicegate.login.http import LoginError, OAuthClient
from sluicegate.login.store import Login, Logins
from tests.cli.terminals import Person, gateway_for
from tests.support.device_provider import DeviceProvider, device_provider


@pytest.fixture
async def provider() -> AsyncIterator[DeviceProvider]:
    """An issuer with the device flow."""
    async with device_provider() as provider:
        yield provider


@pytest.fixture
async def person(broker: str, provider: DeviceProvider, tmp_path: Path) -> AsyncIterator[Person]:
    """A person, and a gateway that trusts their provider."""
    async with gateway_for(broker, provider, tmp_path) as person:
        yield person


def owner(person: Person, token: str) -> Principal:
    return person.issuer.verify(token.strip())


async def test_a_person_logs_in_and_scripts_get_tokens(person: Person) -> None:
    said = await person.login("--connection", "demo", "--purpose", "look at the logs")
    assert said.code == 0, said.err
    assert f"open {person.provider.issuer}/confirm in a browser and enter the code BDWP-HQPK" in said.out
    assert "the gateway gives tokens for demo" in said.out
    assert (
        person.provider.asked[0]["resource"] == f"{person.gateway}/k8s/demo"
    )  # as the gateway says of itself
    again = await person.run("token", "demo")
    assert (again.code, again.err) == (0, "")
    principal = owner(person, again.out)
    assert (principal.subject, principal.connection) == (person.provider.subject, "demo")
    assert principal.purpose == "look at the logs"  # remembered
    other = await person.run("token", "demo", "--purpose", "restart them")
    assert owner(person, other.out).purpose == "restart them"


async def test_what_is_kept_is_for_the_person_alone_and_holds_no_session_token(person: Person) -> None:
    assert (await person.login()).code == 0
    token = (await person.run("token", "demo", "--purpose", "x")).out.strip()
    assert owner(person, token)
    assert stat.S_IMODE(person.tokens.stat().st_mode) == 0o600
    assert stat.S_IMODE(person.tokens.parent.stat().st_mode) == 0o700
    assert token not in person.tokens.read_text()
    assert {entry.name for entry in person.tokens.parent.iterdir()} == {"tokens.json", "tokens.lock"}


async def test_a_login_at_its_end_is_refreshed_and_scripts_at_once_do_not_spoil_it(person: Person) -> None:
    person.provider.lifetime_seconds = (
        30  # too short to be used: refreshed each time, each refresh token once
    )
    assert (await person.login()).code == 0
    both = await asyncio.gather(*(person.run("token", "demo", "--purpose", "x") for _ in range(3)))
    assert [said.err for said in both] == ["", "", ""]
    assert {owner(person, said.out).subject for said in both} == {person.provider.subject}
    grants = [form["grant_type"] for form in person.provider.asked if "grant_type" in form]
    assert grants.count("refresh_token") == 3


async def test_a_login_that_is_over_says_what_to_do(person: Person) -> None:
    person.provider.lifetime_seconds = 30
    assert (await person.login()).code == 0
    person.provider.refresh_tokens.clear()
    said = await person.run("token", "demo", "--purpose", "x")
    assert said.code == 1
    assert "run `sluicegate login` again" in said.err
    person.provider.gives_refresh_token = False
    assert (await person.login()).code == 0
    assert "gave no refresh token" in (await person.run("token", "demo", "--purpose", "x")).err


async def test_refusals_say_what_to_do(person: Person) -> None:
    assert "run `sluicegate login --issuer" in (await person.run("token", "demo")).err
    person.provider.polls = ["access_denied"]
    assert "was declined" in (await person.login()).err
    assert "invalid_client" in (await person.login("--client-id", "nobody")).err
    person.provider.polls = ["confirmed"]
    assert (await person.login()).code == 0
    assert "say why with --purpose" in (await person.run("token", "demo")).err
    assert "invalid_target" in (await person.run("token", "other", "--purpose", "x")).err
    person.provider.has_device_flow = False
    assert "has no device flow" in (await person.login()).err
    plain = await person.run(
        "login", "--issuer", person.provider.issuer, "--gateway", "http://gate.example.com"
    )
    assert (plain.code, "no https:// address" in plain.err) == (1, True)


async def test_an_issuer_is_found_by_its_name_in_the_configuration(person: Person, tmp_path: Path) -> None:
    config = tmp_path / "sluicegate.yaml"
    config.write_text(
        f'identity:\n  mode: oidc\n  public_url: "{person.gateway}"\n'
        f'  issuers: [{{name: people, issuer: "{person.provider.issuer}"}}]\n'
        'connections: [{name: demo, upstream: "http://127.0.0.1:9/mcp"}]\n',
        encoding="utf-8",
    )
    said = await person.run("login", "--issuer", "people", "--config", str(config))
    assert said.code == 0, said.err
    wrong = await person.run("login", "--issuer", "nobody", "--config", str(config))
    assert (wrong.code, "it has: people" in wrong.err) == (2, True)


async def flow(provider: DeviceProvider, slept: list[float], **form: str) -> Any:
    """One device flow whose waits are only noted."""
    shown: list[Asked] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with OAuthClient() as http:
        endpoints = await discover(http, provider.issuer)
        return await DeviceFlow(http, endpoints, "sluicegate", show=shown.append, sleep=sleep).run("openid")


async def test_asking_slows_down_when_told_to(provider: DeviceProvider) -> None:
    provider.interval = 2
    provider.polls = ["authorization_pending", "slow_down", "authorization_pending", "confirmed"]
    slept: list[float] = []
    given = await flow(provider, slept)
    assert slept == [2, 2, 7, 7]
    assert given.access_token
    assert given.access_token not in repr(given)


async def test_asking_ends_when_nobody_confirms(provider: DeviceProvider) -> None:
    provider.interval = 100
    provider.polls = ["authorization_pending"]
    slept: list[float] = []
    with pytest.raises(LoginError, match="nobody confirmed"):
        await flow(provider, slept)
    assert sum(slept) == 600
    provider.polls = ["expired_token"]
    with pytest.raises(LoginError, match="nobody confirmed"):
        await flow(provider, slept)


@pytest.mark.parametrize(
    "written", ["{", "{}", '{"version": 2, "logins": []}', '{"version": 1, "logins": [{"a": 1}]}']
)
def test_a_broken_file_of_logins_is_told(tmp_path: Path, written: str) -> None:
    file = tmp_path / "tokens.json"
    file.touch(mode=0o600)
    file.write_text(written)
    with pytest.raises(LoginError, match=r"tokens\.json"):
        Logins(file).all()


def test_logins_that_others_can_read_are_not_used(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    login = Login(
        "https://id.example.com", "https://gate.example.com", "c", "https://id.example.com/t", "a", 1.0
    )
    logins = Logins(file)
    logins.keep(login)
    logins.keep(login)
    assert logins.all() == [login]
    assert "https://id.example.com/t" not in repr(login)
    file.chmod(0o644)
    with pytest.raises(LoginError, match="chmod 600"):
        logins.all()
