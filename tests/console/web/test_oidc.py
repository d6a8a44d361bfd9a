"""Login by OpenID Connect, at a provider that is not ours, at the demo's own, and at one that lies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from aiohttp import web

from console.directory import Person
from console.web.oidc import challenge_of
from console.web.settings import OidcLogin, RoleGroups
from gateway.edge.announce import Announcer, stamp
from gateway.settings import IdentitySettings, Issuer, SecretSource
from schemas.control import principal_blocked
from sluicegate.demo.people.app import people_app
from tests.console.conftest import Floor
from tests.console.web.browsing import Browser, Page
from tests.console.web.serving import (
    Served,
    acts_of,
    assert_page,
    csrf_of,
    free_url,
    served_web,
    web_settings,
)
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import METADATA, ProviderServer, provider_server, until
from tests.support.oidc_mock import oidc_mock

CLIENT = "console"
PEOPLE = [
    {"sub": "alice", "groups": ["sre"], "email": "alice@example.com", "name": "Alice Arden"},
    {"sub": "eve", "groups": ["auditors"], "email": "eve@example.com"},
    {"sub": "mallory", "groups": ["visitors"]},
]


@asynccontextmanager
async def console_for(
    floor: Floor, home: Path, issuer: str, secret: str = "", **more: Any
) -> AsyncIterator[Served]:
    """A console that logs people in at `issuer`, reached under its own address; the SRE are viewers."""
    more = {"roles": RoleGroups(viewer=("sre",), approver=()), **more}
    (home / "secret").write_text(secret)
    login = OidcLogin("people", CLIENT, SecretSource(file=home / "secret") if secret else None)
    pages = web_settings(home, oidc=login, **more)
    identity = IdentitySettings("oidc", free_url(), (Issuer("people", issuer, audiences=(CLIENT,)),))
    async with served_web(floor, home, identity, pages) as served:
        assert served.url == identity.public_url
        yield served


# -- a provider that is not ours


@pytest.fixture
async def issuer() -> AsyncIterator[str]:
    """oidc-provider-mock in a process of its own."""
    async with oidc_mock(PEOPLE) as url:
        yield url


async def log_in(served: Served, person: str, path: str = "/me") -> tuple[Browser, Page]:
    """Somebody goes to a page, is sent to the provider, says who they are there, and comes back."""
    browser = served.browser()
    asked = await browser.get(path)
    assert_page(asked, 200, "Log in")
    at_provider = await browser.get(f"/login/oidc?next={path}")
    assert not at_provider.url.startswith(served.url)
    page = await browser.post(at_provider.url, {"sub": person}, "")
    return browser, page


async def test_a_person_logs_in_and_is_who_the_provider_says(
    floor: Floor, tmp_path: Path, issuer: str
) -> None:
    async with console_for(floor, tmp_path, issuer, "of the client") as served:
        _, page = await log_in(served, "alice")
        assert (page.status, page.path) == (204, "/me"), page.text
        acts = await acts_of(floor, f"{issuer}|alice", "console.login")
        assert [(act["actor_issuer"], act["actor_subject"]) for act in acts] == [(issuer, "alice")]
        assert '"groups":["sre"]' in acts[0]["detail"]


async def test_roles_come_from_groups(floor: Floor, tmp_path: Path, issuer: str) -> None:
    async with console_for(floor, tmp_path, issuer, "of the client") as served:
        alice, _ = await log_in(served, "alice")
        assert_page(await alice.get("/looked"), 403, "Your role does not allow this")
        eve, _ = await log_in(served, "eve")
        assert (await eve.get("/looked")).status == 503, "she may, but there is no store"
        mallory, page = await log_in(served, "mallory")
        assert_page(page, 403, "Your role does not allow this")
        assert "visitors" in (await mallory.get("/connections")).text
        left = await mallory.post("/logout", {"csrf": await csrf_of(mallory)})
        assert "You are logged out" in left.text, "also who has no role gets out"
        shown = await alice.get("/policy")
        assert_page(shown, 200, "Policy")
        assert "Alice Arden" in shown.text


async def test_the_token_of_the_terminal_is_no_login_here(floor: Floor, tmp_path: Path, issuer: str) -> None:
    async with console_for(floor, tmp_path, issuer, "of the client") as served:
        page = await served.browser().post("/login", {"token": "", "next": "/me"})
        assert_page(page, 404, "There is no such login")


# -- one that lies


@dataclass
class Liar:
    """A provider whose tokens are as the test wants them. `claims` come over what would be right."""

    server: ProviderServer
    mint: Mint
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    redeemed: dict[str, str] = field(default_factory=dict)
    token: str = ""

    async def give(self, request: web.Request) -> web.Response:
        """The token endpoint."""
        self.redeemed = {name: str(value) for name, value in (await request.post()).items()}
        now = int(time.time())
        usual = {
            "sub": "alice",
            "azp": None,
            "groups": ["sre"],
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
        }
        claims = {**usual, **self.claims}
        token = self.token or self.mint.token(**{"jti": f"t-{time.time_ns()}", **claims})
        return web.json_response({"id_token": token, "access_token": "opaque", "token_type": "Bearer"})


@asynccontextmanager
async def lying(floor: Floor, home: Path, **more: Any) -> AsyncIterator[tuple[Served, Liar]]:
    async with provider_server() as server:
        server.publish(jwks(jwk(rsa_key(), "k1")))
        server.documents[METADATA] |= {
            "authorization_endpoint": f"{server.issuer}/authorize",
            "token_endpoint": f"{server.issuer}/token",
        }
        liar = Liar(server, Mint(server.issuer, CLIENT))
        server.answers["/token"] = liar.give
        server.documents["/authorize"] = {}
        async with console_for(floor, home, server.issuer, **more) as served:
            yield served, liar


async def begin(served: Served, liar: Liar) -> Browser:
    """A browser at the provider; what it was asked for is with the liar."""
    browser = served.browser()
    page = await browser.get("/login/oidc?next=/me")
    liar.asked = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    return browser


async def come_back(browser: Browser, liar: Liar, **changes: str) -> Page:
    """With a code and the state that was sent, but for `changes`; '' leaves one out."""
    said = {"code": "c0de", "state": liar.asked["state"], **changes}
    query = "&".join(f"{name}={value}" for name, value in said.items() if value)
    return await browser.get(f"/login/callback?{query}")


async def test_the_code_is_bound_to_this_login_by_pkce_state_and_nonce(floor: Floor, tmp_path: Path) -> None:
    async with lying(floor, tmp_path) as (served, liar):
        browser = await begin(served, liar)
        asked = liar.asked
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == f"{served.url}/login/callback"
        page = await come_back(browser, liar)
        assert (page.status, page.path) == (204, "/me")
        assert challenge_of(liar.redeemed["code_verifier"]) == asked["code_challenge"]
        again = await come_back(browser, liar)
        assert_page(again, 403, "You are not logged in")


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "guessed"},
        {"state": ""},
        {"code": ""},
        {"iss": "https://other.example"},
        {"error": "denied"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_an_answer_that_this_login_did_not_ask_for_is_refused(
    floor: Floor, tmp_path: Path, changes: dict[str, str]
) -> None:
    async with lying(floor, tmp_path) as (served, liar):
        browser = await begin(served, liar)
        assert_page(await come_back(browser, liar, **changes), 403, "You are not logged in")
        assert not liar.redeemed


async def test_another_browser_cannot_finish_the_login(floor: Floor, tmp_path: Path) -> None:
    async with lying(floor, tmp_path) as (served, liar):
        await begin(served, liar)
        page = await come_back(served.browser(), liar)
        assert_page(page, 403, "You are not logged in")
        assert not liar.redeemed


async def test_tokens_that_are_not_for_this_login_are_refused(floor: Floor, tmp_path: Path) -> None:
    old = int(time.time()) - 3_600
    wrong: list[dict[str, Any]] = [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://other.example"},
        {"iat": old, "exp": old + 60},
        {"sub": None},
    ]
    async with lying(floor, tmp_path) as (served, liar):
        for claims in wrong:
            liar.claims = claims
            browser = await begin(served, liar)
            page = await come_back(browser, liar)
            assert_page(page, 403, "You are not logged in")
            assert "sluicegate=" not in "".join(browser.set_cookies), claims
        liar.claims, liar.mint = {}, Mint(liar.server.issuer, CLIENT, key=rsa_key(1))
        page = await come_back(await begin(served, liar), liar)
        assert_page(page, 403, "You are not logged in")


async def test_a_provider_that_is_away_says_so_and_lets_nobody_in(floor: Floor, tmp_path: Path) -> None:
    async with lying(floor, tmp_path) as (served, liar):
        browser = await begin(served, liar)
        await liar.server.stop()
        page = await come_back(browser, liar)
        assert_page(page, 503, "The provider of logins is away")
        await liar.server.start()


# -- the demo's own


class Server(uvicorn.Server):
    """Leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def demo(floor: Floor, tmp_path: Path) -> AsyncIterator[tuple[Served, str]]:
    """A console, and the provider of `sluicegate demo` that knows it."""
    url, port_of = free_url(), free_url()
    app = people_app(port_of, tmp_path, "http://127.0.0.1:1/mcp/demo", console=url)
    config = uvicorn.Config(app, port=urlsplit(port_of).port or 0, log_level="warning", lifespan="off")
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    issuer = Issuer("people", port_of, algorithms=("ES256",))
    pages = web_settings(tmp_path, oidc=OidcLogin("people", CLIENT), roles=RoleGroups(admin=("sre",)))
    try:
        async with served_web(floor, tmp_path, IdentitySettings("oidc", url, (issuer,)), pages) as served:
            yield served, port_of
    finally:
        server.should_exit = True
        await serving


async def test_the_demos_provider_logs_people_in_by_a_button(demo: tuple[Served, str]) -> None:
    served, _ = demo
    browser = served.browser()
    page = await browser.get("/login/oidc?next=/policy")
    form = page.form("/authorize")
    inside = await browser.post(page.url.partition("?")[0], {**form.fields, "person": "alice"}, "")
    assert_page(inside, 200, "Policy")
    assert "Alice Arden" in inside.text
    assert "Who looked" in inside.text, "the demo's SRE are admins"


async def test_a_block_ends_a_login_at_a_provider_too(floor: Floor, demo: tuple[Served, str]) -> None:
    served, issuer = demo
    browser = served.browser()
    page = await browser.get("/login/oidc?next=/me")
    fields = {**page.form("/authorize").fields, "person": "bob"}
    assert (await browser.post(page.url.partition("?")[0], fields, "")).status == 204
    announcer = Announcer(floor.kafka)
    announcer.start()
    record = principal_blocked(stamp(), issuer, "bob", by="test", reason="left the company")
    assert await announcer.control(record["target"], record)
    await announcer.stop()
    who = Person(issuer, "bob")
    await until(lambda: bool(served.console.blocked(who)))
    assert_page(await browser.get("/me"), 403, "You are blocked")
