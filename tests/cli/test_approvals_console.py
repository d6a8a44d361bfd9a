"""Approvals by a console: the command line speaks for who logged in, or for the user at its terminal."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web
from typer.testing import Result

from console.app import Console
from console.terminal import terminal_name
from gateway.settings import IdentitySettings, Issuer
from schemas.kafka import KafkaAddress, ensure_topics
from sinks.access import write_token
from sluicegate.login.store import Login, Logins, tokens_file
from sluicegate.settings import load
from sluicegate.settings.console import console_settings
from tests.cli.test_approvals import Desk
from tests.console.calling import listening
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import provider_server
from tests.processors.fleet import Fleet
from tests.processors.trail import until


@dataclass
class Desktop:
    """Somebody's terminal, a console beside it, and a processor behind."""

    desk: Desk
    url: str
    mint: Mint
    console: Console

    def log_in(self, name: str, *groups: str) -> None:
        """The person's login for the console, as `sluicegate login` keeps it."""
        now = int(time.time())
        token = self.mint.token(sub=name, groups=list(groups), iat=now, exp=now + 300, jti=f"{name}-{now}")
        logins = Logins(tokens_file())
        with logins.locked():
            logins.keep(Login(self.mint.issuer, self.url, "sluicegate", "", token, now + 300.0))

    async def run(self, *words: str, console: bool = True) -> Result:
        """One `sluicegate approvals` command."""
        more = ("--console", self.url) if console else ()
        return await asyncio.to_thread(self.desk.run, *words, *more)

    async def ask(self, **over: Any) -> str:
        """A call of Bob's is held, and the console knows that it is pending."""
        usual = {"principal_issuer": self.mint.issuer, "quorum": [{"reviewers": ["owners"], "people": 1}]}
        approval = await asyncio.to_thread(lambda: self.desk.ask(**{**usual, **over}))

        async def pending() -> bool:
            found = self.console.desk.standing(approval)
            return found is not None and found.state == "pending"

        await until(pending, 60)
        return approval


@pytest.fixture
async def desktop(broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desktop]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    await ensure_topics(KafkaAddress(broker, embedded=True))
    desk = Desk(tmp_path, broker)
    settings = console_settings(load(desk.config))
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(provider_server())
        provider.publish(jwks(jwk(rsa_key(), "k1")))
        issuer = Issuer("people", provider.issuer, audiences=("console",))
        identity = IdentitySettings("oidc", "https://console.example.com", (issuer,))
        console = Console(replace(settings, identity=identity), KafkaAddress(broker, embedded=True))
        url = await stack.enter_async_context(listening(console))
        workers = stack.enter_context(
            Fleet(
                tmp_path,
                lambda home: ["tests.cli.approvals_worker", str(desk.config), str(home)],
                1,
                Random(1),
            )
        )
        workers.add()
        yield Desktop(desk, url, Mint(provider.issuer, "console"), console)


async def test_the_person_who_logged_in_decides_delegates_and_takes_back(desktop: Desktop) -> None:
    approval = await desktop.ask(arguments=b'{"name":"\x1b[31mweb"}')
    nobody = await desktop.run("list")
    assert (nobody.exit_code, "sluicegate login --issuer NAME --gateway" in nobody.output) == (1, True)
    desktop.log_in("ann", "owners")
    assert approval in (await desktop.run("list", "--mine")).stdout
    shown = await desktop.run("show", approval)
    assert "1 of owners" in shown.stdout
    assert "\x1b" not in shown.stdout
    given = await desktop.run("delegate", f"{desktop.mint.issuer}|guest", "--for", "8h", "--reason", "away")
    assert given.exit_code == 0, given.output
    (row,) = [json.loads(line) for line in (await desktop.run("delegations", "--json")).stdout.splitlines()]
    assert (row["to"]["subject"], row["reason"]) == ("guest", "away")
    desktop.log_in("guest", "visitors")
    approved = await desktop.run("approve", approval, "--comment", "for Ann")
    assert f"approval {approval} is approved" in approved.stdout, approved.output
    again = await desktop.run("approve", approval)
    assert (again.exit_code, "it does not count: it is approved already" in again.output) == (1, True)
    assert (await desktop.run("undelegate", row["id"])).exit_code == 0
    assert "nobody decides instead" in (await desktop.run("delegations")).stdout
    desktop.log_in("ann", "owners")
    assert f"approval {approval} is revoked" in (await desktop.run("revoke", approval)).stdout
    told = json.loads((await desktop.run("show", approval, "--json")).stdout)
    assert [turn["verb"] for turn in told["history"] if turn["verb"]] == ["approve", "approve", "revoke"]


async def test_abuse_75_who_asked_does_not_approve_by_another_login(desktop: Desktop) -> None:
    approval = await desktop.ask()
    desktop.log_in("bob", "owners")
    refused = await desktop.run("approve", approval)
    assert refused.exit_code == 1
    assert "nobody decides what they asked for themselves" in refused.output


async def test_grants_are_listed_and_taken_back_and_a_broken_glass_is_reviewed(desktop: Desktop) -> None:
    grant = await desktop.ask(kind="access", grant_seconds=600, connection="lent")
    desktop.log_in("ann", "owners")
    await desktop.run("approve", grant)
    assert grant in (await desktop.run("access", "list")).stdout
    assert grant in (await desktop.run("access", "list", console=False)).stdout
    ended = await desktop.run("access", "revoke", grant)
    assert f"approval {grant} is revoked" in ended.stdout, ended.output
    assert grant not in (await desktop.run("access", "list")).stdout
    glass = await asyncio.to_thread(
        lambda: desktop.desk.ask(
            kind="break_glass",
            principal_groups=["oncall"],
            break_glass_groups=["oncall"],
            review_seconds=600,
            quorum=[{"reviewers": ["owners", f"|{terminal_name()}"], "people": 1}],
        )
    )

    async def broken() -> bool:
        found = desktop.console.desk.standing(glass)
        return found is not None and found.review_due

    await until(broken, 60)
    reviewed = await desktop.run("review", glass, "--comment", "it was right", "--wait", "60", console=False)
    assert reviewed.exit_code == 0, reviewed.output


@pytest.mark.parametrize("console", [True, False])
async def test_changes_are_told_as_they_happen(desktop: Desktop, console: bool) -> None:
    desktop.log_in("ann", "owners")
    watching = asyncio.create_task(desktop.run("watch", "--json", "--count", "1", console=console))

    async def told() -> bool:
        owners = [{"reviewers": ["owners"], "people": 1}]
        await asyncio.to_thread(lambda: desktop.desk.ask(quorum=owners))  # until somebody hears it
        await asyncio.wait([watching], timeout=0.5)
        return watching.done()

    await until(told, 60)
    result = await watching
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["state"] in (
        "unread",
        "pending",
        "expired",
        "approved",
        "denied",
        "used",
    )


async def test_a_console_without_identity_knows_the_user_of_its_terminal(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    await ensure_topics(KafkaAddress(broker, embedded=True))
    desk = Desk(tmp_path, broker)
    text = desk.config.read_text("utf-8").partition("identity:")[0]
    desk.config.write_text(
        text + 'identity: {mode: none}\nconnections: [{name: demo, upstream: "http://127.0.0.1:9/mcp"}]\n',
        "utf-8",
    )
    settings = console_settings(load(desk.config))
    assert settings.token_file
    console = Console(settings, KafkaAddress(broker, embedded=True), token=write_token(settings.token_file))
    async with listening(console) as url:
        words = ("delegate", "terminal:eve@laptop", "--for", "1h", "--console", url)
        given = await asyncio.to_thread(desk.run, *words)
        assert given.exit_code == 0, given.output
        listed = await asyncio.to_thread(desk.run, "delegations", "--console", url, "--json")
        rows = [json.loads(line) for line in listed.stdout.splitlines()]
        assert terminal_name() in [row["from"]["subject"] for row in rows]


async def test_access_is_asked_of_the_gateway_with_the_login_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    heard: list[tuple[str, Any]] = []

    async def access(request: web.Request) -> web.Response:
        body = await request.json()
        heard.append((request.headers["Authorization"], body))
        if body["connection"] != "prod":
            return web.json_response({"error": "not_found", "message": "no such connection"}, status=404)
        return web.json_response({"id": "42", "state": "pending", "next": "people are asked"}, status=202)

    app = web.Application()
    app.router.add_post("/approvals/access", access)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        logins = Logins(tokens_file())
        with logins.locked():
            logins.keep(Login("https://id.example.com", url, "sluicegate", "", "t0ken", time.time() + 300))
        words = ("access", "request", "prod", "--reason", "an incident", "--for", "2h")
        made = await asyncio.to_thread(_run, *words)
        assert made.stdout == "approval 42 is pending: people are asked\n", made.output
        assert heard == [("Bearer t0ken", {"connection": "prod", "reason": "an incident", "seconds": 7200})]
        other = await asyncio.to_thread(_run, "access", "request", "x", "--reason", "r", "--for", "2h")
        assert (other.exit_code, "no such connection" in other.output) == (1, True)
    finally:
        await runner.cleanup()


def _run(*words: str) -> Result:
    from typer.testing import CliRunner  # noqa: PLC0415

    from sluicegate.cli.app import app  # noqa: PLC0415

    return CliRunner().invoke(app, ["approvals", *words])
