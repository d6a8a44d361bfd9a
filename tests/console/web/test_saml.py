"""Login by SAML from the browser's side: our request, the provider's form, and who may fetch what it proves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.web.settings import RoleGroups, SamlLogin
from gateway.settings import IdentitySettings, Issuer
from tests.console.conftest import Floor
from tests.console.web.browsing import Browser, Page
from tests.console.web.saml_provider import (
    ENTITY,
    NS,
    Facts,
    SamlProvider,
    key_and_certificate,
    packed,
    request_of,
    tree,
)
from tests.console.web.serving import Served, acts_of, assert_page, free_url, served_web, web_settings
from tests.gateway.identity.minting import jwk, jwks, rsa_key
from tests.gateway.identity.provider import provider_server

IDP = "https://idp.example.com"


@dataclass
class Bench:
    """A console that trusts a SAML provider."""

    served: Served
    provider: SamlProvider
    issuer: str

    async def begin(self, following: str = "/me") -> tuple[Browser, Any]:
        """A browser at the provider, and the request that it brought."""
        browser = self.served.browser()
        page = await browser.get(f"/saml/login?next={following}")
        return browser, request_of(urlsplit(page.url).query)

    def facts(self, request: Any, **changes: Any) -> Facts:
        """The right answer to a request."""
        url = self.served.url
        return Facts(f"{url}/saml/acs", f"{url}/saml/metadata", request.get("ID"), **changes)

    async def answer(self, browser: Browser, facts: Facts) -> Page:
        """The provider's page sends its form: from another site, so without cookies, as browsers have it."""
        fields = {"SAMLResponse": packed(self.provider.response(facts)), "RelayState": "https://evil.example"}
        return await browser.post("/saml/acs", fields, IDP)


@pytest.fixture(scope="module")
def provider() -> SamlProvider:
    return SamlProvider(*key_and_certificate())


@asynccontextmanager
async def bench_at(floor: Floor, home: Path, provider: SamlProvider, **changes: Any) -> AsyncIterator[Bench]:
    async with provider_server() as server:
        server.publish(jwks(jwk(rsa_key(), "k1")))
        server.documents["/sso"] = {}
        login = SamlLogin(ENTITY, f"{server.issuer}/sso", (provider.certificate,), **changes)
        pages = web_settings(home, saml=login, roles=RoleGroups(viewer=("sre",)))
        identity = IdentitySettings("oidc", free_url(), (Issuer("people", server.issuer),))
        async with served_web(floor, home, identity, pages) as served:
            yield Bench(served, provider, server.issuer)


@pytest.fixture
async def bench(floor: Floor, tmp_path: Path, provider: SamlProvider) -> AsyncIterator[Bench]:
    async with bench_at(floor, tmp_path, provider) as found:
        yield found


async def test_a_person_logs_in_and_comes_back_to_the_page_that_was_asked_for(
    floor: Floor, bench: Bench
) -> None:
    before = len(await acts_of(floor, f"{ENTITY}|alice", "console.login"))
    browser, request = await bench.begin("/policy")
    assert request.get("AssertionConsumerServiceURL") == f"{bench.served.url}/saml/acs"
    assert request.find("saml:Issuer", NS).text == f"{bench.served.url}/saml/metadata"
    page = await bench.answer(browser, bench.facts(request))
    assert (page.status, page.path) == (200, "/policy")
    assert "Alice Arden" in page.text
    acts = await acts_of(floor, f"{ENTITY}|alice", "console.login")
    assert len(acts) == before + 1
    assert '"by":"saml"' in acts[-1]["detail"]


async def test_our_metadata_says_where_responses_go_and_that_assertions_are_signed(bench: Bench) -> None:
    page = await bench.served.browser().get("/saml/metadata")
    assert page.header("Content-Type").startswith("application/samlmetadata+xml")
    root = tree(page.text)
    said = {"md": "urn:oasis:names:tc:SAML:2.0:metadata"}
    service = root.find(".//md:AssertionConsumerService", said)
    assert service.get("Location") == f"{bench.served.url}/saml/acs"
    assert root.find("md:SPSSODescriptor", said).get("WantAssertionsSigned") == "true"


async def test_a_response_counts_only_in_the_browser_that_asked_for_it(bench: Bench) -> None:
    """Else somebody could log a victim in as himself, and read what the victim then writes."""
    _, request = await bench.begin()
    victim, _ = await bench.begin()
    for browser in (victim, bench.served.browser()):
        page = await bench.answer(browser, bench.facts(request))
        assert_page(page, 403, "You are not logged in")
        assert "sluicegate=" not in "".join(browser.set_cookies)


async def test_a_response_is_good_once(bench: Bench) -> None:
    browser, request = await bench.begin()
    before = {host: dict(jar) for host, jar in browser.cookies.items()}
    facts = bench.facts(request, assertion_id="_the_same")
    assert (await bench.answer(browser, facts)).status == 204
    thief = Browser(bench.served.http, bench.served.url, before)
    replayed = await bench.answer(thief, facts)
    assert_page(replayed, 403, "You are not logged in")
    assert "used already" in replayed.text
    thief.cookies = before
    second = await bench.answer(thief, bench.facts(request))
    assert_page(second, 403, "You are not logged in")
    assert "used already" in second.text, "another assertion for the same request"


async def test_what_nobody_asked_for_logs_nobody_in(bench: Bench) -> None:
    browser, request = await bench.begin()
    facts = bench.facts(request)
    facts.request_id = None
    page = await bench.answer(browser, facts)
    assert_page(page, 403, "You are not logged in")
    assert "nobody asked for it" in page.text


async def test_a_ticket_is_no_login_by_itself(bench: Bench) -> None:
    page = await bench.served.browser().get("/saml/finish?ticket=guessed")
    assert_page(page, 403, "You are not logged in")


async def test_people_of_a_provider_that_shares_subjects_are_those_of_oidc(
    floor: Floor, tmp_path: Path, provider: SamlProvider
) -> None:
    """So that who asks by a token and approves by SAML is known to be one person."""
    async with bench_at(floor, tmp_path, provider, issuer="https://id.example.com", subject="uid") as bench:
        before = len(await acts_of(floor, "https://id.example.com|ann", "console.login"))
        browser, request = await bench.begin()
        page = await bench.answer(browser, bench.facts(request, subject="x", more={"uid": ["ann"]}))
        assert page.status == 204
        assert len(await acts_of(floor, "https://id.example.com|ann", "console.login")) == before + 1
