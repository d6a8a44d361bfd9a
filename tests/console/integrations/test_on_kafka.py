"""Each integration with the real desk, the real processor and the book on Kafka: asked, told, decided, told again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from prometheus_client import CollectorRegistry

from console.app import Console
from console.desk import Desk
from console.directory import Directory
from console.integrations.book import BookError, KafkaBook
from console.integrations.settings import (
    IntegrationSettings,
    Jira,
    Only,
    ServiceNow,
    Slack,
    Target,
    TeamsBot,
    Webhook,
)
from console.integrations.vendor import session
from console.integrations.whole import Integrations
from console.run import Server, http_config, listen
from console.settings import DeskLimits
from gateway.settings import SecretSource
from schemas.deliveries import ApprovalDelivery
from tests.console.calling import settings_for
from tests.console.conftest import KEYS, Floor, comes_to
from tests.console.integrations import hook_server, jira_server, servicenow_server, slack_server, teams_server
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, served, until
from tests.console.integrations.paper import PEOPLE
from tests.console.integrations.vendors import VendorServer
from tests.gateway.identity.minting import jwk, jwks, rsa_key
from tests.gateway.identity.provider import provider_server
from tests.processors.approvals.making import ISSUER
from tests.processors.trail import findings_on

Decide = Callable[[str, str], Awaitable[Any]]
"""A person at the vendor approves: console's address, approval."""


@dataclass
class Case:
    """A vendor, what a console is told of it, and how one sees there that something was told."""

    server: VendorServer
    settings: Callable[[str], dict[str, Any]]
    decide: Decide
    messages: Callable[[], int]
    settled: Callable[[], bool]


@pytest.fixture
async def desk(floor: Floor) -> AsyncIterator[Desk]:
    """A desk that knows the people of these tests."""
    found = Desk(floor.kafka, KEYS, Directory(PEOPLE), limits=DeskLimits(answer_seconds=60.0))
    found.start()
    await asyncio.wait_for(found.wait_ready(), 60)
    yield found
    await found.stop()


@asynccontextmanager
async def console(floor: Floor, desk: Desk, settings: IntegrationSettings) -> AsyncIterator[str]:
    """A console that delivers as soon as it has the book."""
    async with session() as http:
        integrations = Integrations(settings, desk, http, floor.kafka, registry=CollectorRegistry())
        task = asyncio.create_task(integrations.run())
        try:
            async with served(integrations.routes()) as url:
                yield url
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def kept(folder: Path, text: str) -> SecretSource:
    """A secret in a file."""
    file = folder / f"secret-{len(list(folder.iterdir()))}"
    file.write_text(text, encoding="utf-8")
    return SecretSource(file=file)


def slack(folder: Path, http: Any) -> Case:
    server = slack_server.SlackServer()

    def settings(url: str) -> dict[str, Any]:
        token, secret = kept(folder, slack_server.BOT_TOKEN), kept(folder, slack_server.SIGNING_SECRET)
        return {"slack": Slack(token, (secret,), (Target(slack_server.CHANNEL),), f"{url}/api")}

    async def decide(url: str, _: str) -> None:
        click = slack_server.signed(server.click("Approve", "UANN"))
        assert (await slack_server.send(http, url, click))[0] == 200

    return Case(server, settings, decide, lambda: len(server.messages), lambda: server.updates > 0)


def teams(folder: Path, http: Any) -> Case:
    server = teams_server.TeamsServer()

    def settings(url: str) -> dict[str, Any]:
        bot = TeamsBot(
            teams_server.APP_ID,
            teams_server.TENANT,
            kept(folder, teams_server.APP_SECRET),
            (Target(teams_server.CHANNEL),),
            f"{url}/teams/",
            url,
            f"{url}/v1/.well-known/openidconfiguration",
        )
        return {"teams": bot}

    async def decide(url: str, _: str) -> None:
        _, answer = await server.send(http, url, server.click("Approve", "ann-object"))
        assert "It is approved" in teams_server.words(answer["value"])

    return Case(server, settings, decide, lambda: len(server.cards), lambda: server.updates > 0)


def webhook(folder: Path, http: Any) -> Case:
    server = hook_server.HookServer()

    def settings(url: str) -> dict[str, Any]:
        secret = kept(folder, hook_server.SECRET)
        return {"webhooks": (Webhook("bus", (secret,), f"{url}/hook", decisions=True),)}

    async def decide(url: str, approval: str) -> None:
        sent = hook_server.message(hook_server.decision(approval, "ann"))
        status, answer = await hook_server.send(http, f"{url}/integrations/webhooks/bus", sent)
        assert (status, answer["state"]) == (200, "approved")

    def asked() -> int:
        return sum(told["type"] == "approval.asked" for _, told in server.told)

    return Case(server, settings, decide, asked, lambda: len(server.told) > asked())


def jira(folder: Path, _: Any) -> Case:
    server = jira_server.JiraServer()

    def settings(url: str) -> dict[str, Any]:
        token = kept(folder, jira_server.TOKEN)
        return {"jira": Jira(url, token, "OPS", jira_server.EMAIL, poll_seconds=0.2)}

    async def decide(_: str, __: str) -> None:
        server.move("OPS-1", "Approved", "acc-ann")

    return Case(server, settings, decide, lambda: len(server.issues), lambda: bool(server.said("OPS-1")))


def servicenow(folder: Path, _: Any) -> Case:
    server = servicenow_server.ServiceNowServer()

    def settings(url: str) -> dict[str, Any]:
        password = kept(folder, servicenow_server.PASSWORD)
        return {"servicenow": ServiceNow(url, servicenow_server.USER, password, poll_seconds=0.2)}

    async def decide(_: str, __: str) -> None:
        server.change("ann.user", {"approval": "approved"})

    def records() -> int:
        return len(server.tables.get("change_request", {}))

    return Case(server, settings, decide, records, lambda: bool(server.said()))


@pytest.mark.parametrize("vendor", [slack, teams, webhook, jira, servicenow])
async def test_a_call_is_told_decided_by_the_processor_and_told_again_by_whichever_console_runs(
    settled: Floor, desk: Desk, tmp_path: Path, vendor: Callable[[Path, Any], Case]
) -> None:
    name = f"only-{vendor.__name__}"  # what other tests leave on the topics is not for this vendor
    async with session() as http:
        case = vendor(tmp_path, http)
        await case.server.start()
        try:
            settings = narrowed(case.settings(case.server.url), name)
            approval = await settled.ask(connection=name)
            async with console(settled, desk, settings):
                await until(case.messages, 60)
                await comes_to(desk, approval, "pending")
            async with console(settled, desk, settings) as url:  # a restart
                await case.decide(url, approval)
                await comes_to(desk, approval, "approved")
                await until(case.settled, 60)
            assert case.messages() == 1
        finally:
            await case.server.stop()
    standing = desk.standing(approval)
    assert standing
    assert standing.settled
    assert standing.settled["approvers"] == [f"{ISSUER}|ann"]
    acts = await settled.acts(approval)
    assert [str(row["outcome"]) for row in acts] == ["asked", "done"]
    assert f'"through":"{vendor.__name__}' in acts[0]["detail"]


def narrowed(vendor: dict[str, Any], connection: str) -> IntegrationSettings:
    """Only what is asked on one connection."""
    ((key, value),) = vendor.items()
    only = Only(connections=(connection,))
    match value:
        case (Webhook(),):
            value = (replace(value[0], only=only),)
        case Slack() | TeamsBot():
            value = replace(value, targets=tuple(Target(each.place, only) for each in value.targets))
        case _:
            value = replace(value, only=only)
    return IntegrationSettings(public_url=PUBLIC_URL, retries=QUICK, **{key: value})


async def test_of_two_consoles_one_delivers_and_the_other_takes_over(
    settled: Floor, desk: Desk, tmp_path: Path
) -> None:
    async with session() as http:
        case = slack(tmp_path, http)
        await case.server.start()
        settings = narrowed(case.settings(case.server.url), "two-consoles")
        async with console(settled, desk, settings):
            await settled.ask(connection="two-consoles")
            await until(case.messages, 60)
            second = console(settled, desk, settings)
            url = await second.__aenter__()
            await settled.ask(connection="two-consoles")
            await until(lambda: case.messages() == 2, 60)
        await settled.ask(connection="two-consoles")
        await until(lambda: case.messages() == 3, 60)
        assert case.messages() == 3
        assert url
        await second.__aexit__(None, None, None)
        await case.server.stop()


async def test_a_console_as_it_is_served_takes_a_click_and_asks_vendors_for_no_bearer_token(
    settled: Floor, tmp_path: Path
) -> None:
    async with session() as http, provider_server() as provider:
        case = slack(tmp_path, http)
        await case.server.start()
        provider.publish(jwks(jwk(rsa_key(), "k1")))
        vendors = narrowed(case.settings(case.server.url), "as-served")
        whole = Console(replace(settings_for(provider), people=PEOPLE, integrations=vendors), settled.kafka)
        integrations = Integrations(vendors, whole.desk, http, settled.kafka, registry=CollectorRegistry())
        routes, delivering = integrations.routes(), asyncio.create_task(integrations.run())
        with listen("127.0.0.1", 0) as sock:
            server = Server(http_config(whole.app(routes), whole.settings), whole)
            whole.start()
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            await until(lambda: server.started and not whole.fault, 60)
            approval = await settled.ask(connection="as-served")
            await until(case.messages, 60)
            click = slack_server.signed(case.server.click("Approve", "UANN"))  # type: ignore[attr-defined]
            click.headers["Host"] = urlsplit(PUBLIC_URL).netloc
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
            assert (await slack_server.send(http, url, click))[0] == 200
            await comes_to(whole.desk, approval, "approved")
            forged = slack_server.signed({"type": "block_actions"}, secret="guessed")
            assert (await slack_server.send(http, url, forged))[0] == 401
            server.should_exit = True
            delivering.cancel()
            await asyncio.gather(serving, delivering, return_exceptions=True)
            await whole.stop()
        await case.server.stop()


async def test_a_part_that_fails_unforeseen_begins_again_with_the_others(
    settled: Floor, desk: Desk, tmp_path: Path
) -> None:
    failures: list[str] = []

    async def fail_once() -> None:
        if not failures:
            failures.append("once")
            raise ValueError("the secret is xoxb-1")
        await asyncio.Event().wait()

    async with session() as http:
        case = slack(tmp_path, http)
        await case.server.start()
        settings = narrowed(case.settings(case.server.url), "fails-once")
        integrations = Integrations(settings, desk, http, settled.kafka, registry=CollectorRegistry())
        integrations._parts.work.append(fail_once)
        await settled.ask(connection="fails-once")
        with structlog.testing.capture_logs() as logs:
            task = asyncio.create_task(integrations.run())
            await until(case.messages, 60)
            await until(lambda: failures, 60)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await case.server.stop()
    told = [row for row in logs if row["event"] == "integration_failed"]
    assert [row["error"] for row in told] == ["ValueError"]
    assert "xoxb-1" not in repr(logs)


async def test_a_vendor_that_stays_away_is_a_finding(
    settled: Floor, desk: Desk, silent_port: int, tmp_path: Path
) -> None:
    case = webhook(tmp_path, None)
    approval = await settled.ask(connection="nobody-listens")
    away = narrowed(case.settings(f"http://127.0.0.1:{silent_port}"), "nobody-listens")
    async with console(settled, desk, away):

        async def raised() -> bool:
            found = await findings_on(settled.broker)
            return any(each["evidence"] == ["webhook.bus", approval] for each in found)

        async with asyncio.timeout(60):
            while not await raised():
                await asyncio.sleep(0.1)


async def test_the_book_outlives_its_process_and_takes_nothing_while_it_is_closed(floor: Floor) -> None:
    entry: ApprovalDelivery = {
        "approval_id": "0190a8c0-0000-7000-8000-00000000b00c",
        "integration": "slack",
        "at": 1_790_000_000_000_000,
        "place": "C1",
        "external_id": "1.2",
        "told": "pending:0",
    }
    first, second = KafkaBook(floor.kafka), KafkaBook(floor.kafka)
    with pytest.raises(BookError, match="not open"):
        await first.write(entry)
    await kept_open(first, lambda: first.write(entry))
    assert first.entry(entry["approval_id"], "slack") is None
    seen: list[ApprovalDelivery | None] = []

    async def look() -> None:
        seen.append(second.entry(entry["approval_id"], "slack"))
        await second.strike(entry)

    await kept_open(second, look)
    assert seen == [entry]
    third = KafkaBook(floor.kafka)

    async def look_again() -> None:
        seen.append(third.entry(entry["approval_id"], "slack"))

    await kept_open(third, look_again)
    assert seen[-1] is None


async def kept_open(book: KafkaBook, work: Callable[[], Awaitable[None]]) -> None:
    """Does something while the book is open."""
    task = asyncio.create_task(book.run())
    await asyncio.wait_for(book.opened.wait(), 60)
    await work()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
