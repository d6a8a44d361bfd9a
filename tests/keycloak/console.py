"""People who log into the console's pages at a real Keycloak, by OIDC and by SAML."""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from pathlib import Path

import aiohttp

from tests.console.web.browsing import Browser, Form, Page
from tests.keycloak.realm import password
from tests.keycloak.server import Keycloak
from tests.support.topics import acts


async def signing_certificate(http: aiohttp.ClientSession, keycloak: Keycloak, scratch: Path) -> Path:
    """A file with the certificate that the realm's SAML metadata names, as its administrator would save it."""
    async with http.get(f"{keycloak.issuer}/protocol/saml/descriptor") as answer:
        found = re.search(r"<ds:X509Certificate>([^<]+)<", await answer.text())
    assert found, "the realm's SAML metadata has no certificate"
    lines = "\n".join(textwrap.wrap("".join(found[1].split()), 64))
    file = scratch / "keycloak-saml.pem"
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    await asyncio.to_thread(file.write_text, pem)
    return file


def browsers() -> aiohttp.ClientSession:
    """What browsers speak through; each keeps its own cookies."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())


async def by_oidc(http: aiohttp.ClientSession, console: str, person: str) -> Browser:
    """A browser that is logged in."""
    browser = Browser(http, console)
    page = await _answered(browser, await browser.get("/login/oidc?next=/me"), person)
    assert (page.status, page.url) == (204, f"{console}/me"), page.text
    return browser


async def by_saml(http: aiohttp.ClientSession, console: str, person: str) -> tuple[Browser, dict[str, str]]:
    """A browser that is logged in, and the response that did it."""
    browser = Browser(http, console)
    page = await _answered(browser, await browser.get("/saml/login?next=/me"), person)
    form = page.form(f"{console}/saml/acs")
    response = {name: value for name, value in form.fields.items() if name in ("SAMLResponse", "RelayState")}
    inside = await browser.post(
        form.action, response, "null"
    )  # the browser sends it by a script of Keycloak's
    assert (inside.status, inside.url) == (204, f"{console}/me"), inside.text
    return browser, response


async def logins_of(bootstrap: str) -> set[str]:
    """By what people logged in who are known by one subject each; each of them by all ways."""
    found: dict[str, set[str]] = {}
    for act in await acts(bootstrap, lambda record: record["action"] == "console.login"):
        found.setdefault(act["target"], set()).add(json.loads(act["detail"])["by"])
    assert len(found) == 2, found
    first, second = found.values()
    assert first == second
    return first


async def _answered(browser: Browser, page: Page, person: str) -> Page:
    """Keycloak's login page, filled in."""
    form: Form = next(form for form in page.forms() if "login-actions/authenticate" in form.action)
    given = {**form.fields, "username": person, "password": password(person)}
    return await browser.post(form.action, given, "")
