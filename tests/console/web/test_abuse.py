"""What another site, a stolen page or a blocked person gets: nothing, and it is on the record (ABUSE 85 and 86)."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.api.callers import Caller
from console.directory import Person
from console.terminal import terminal_person
from console.web.headers import CONTENT_SECURITY_POLICY
from console.web.logins import Logins
from console.web.marks import plain, shown
from gateway.edge.announce import Announcer, stamp
from schemas.control import principal_blocked
from tests.console.conftest import Floor
from tests.console.web.serving import TOKEN, Served, assert_page, csrf_of, web_settings
from tests.gateway.identity.provider import until

ME = terminal_person()
EVIL = "https://evil.example"


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        (EVIL, {}),
        ("null", {}),
        ("", {}),
        (None, {"Sec-Fetch-Site": "cross-site"}),
        (None, {"Sec-Fetch-Site": "same-site"}),
    ],
    ids=["another site's", "a sandbox's", "nobody's", "cross-site", "a sister domain's"],
)
async def test_a_form_of_another_site_does_nothing(
    site: Served, origin: str | None, headers: dict[str, str]
) -> None:
    browser = await site.at_terminal()
    csrf = await csrf_of(browser)
    page = await browser.post("/logout", {"csrf": csrf}, origin, **headers)
    assert_page(page, 403, "This did not come from a page of ours")
    assert (await browser.get("/me")).status == 204


@pytest.mark.parametrize("fields", [{}, {"csrf": ""}, {"csrf": "guessed"}])
async def test_a_form_without_the_token_of_this_login_does_nothing(
    site: Served, fields: dict[str, str]
) -> None:
    browser, other = await site.at_terminal(), await site.at_terminal()
    for token in (fields, {"csrf": await csrf_of(other)}):
        assert_page(await browser.post("/logout", token), 403, "This form is out of date")
    assert (await browser.get("/me")).status == 204


async def test_a_login_form_of_another_site_logs_nobody_in(site: Served) -> None:
    browser = site.browser()
    page = await browser.post("/login", {"token": TOKEN, "next": "/me"}, EVIL)
    assert_page(page, 403, "This did not come from a page of ours")
    assert not browser.set_cookies


async def test_a_rebound_name_reaches_no_page(site: Served) -> None:
    page = await site.browser().get("/login", Host="evil.example")
    assert page.status == 421


async def test_a_page_that_is_no_form_or_too_large_is_refused(site: Served) -> None:
    browser = await site.at_terminal()
    csrf = await csrf_of(browser)
    large = await browser.post("/logout", {"csrf": csrf, "more": "x" * 70_000})
    assert_page(large, 413, "This is too much")
    json = await browser.post("/logout", {"csrf": csrf}, Content_Type="application/json")
    assert_page(json, 415, "This is no form")


async def test_every_page_forbids_framing_foreign_scripts_and_sniffing(site: Served) -> None:
    browser = await site.at_terminal()
    for path in ("/login", "/nowhere", "/"):
        page = await browser.get(path)
        assert page.header("Content-Security-Policy") == CONTENT_SECURITY_POLICY
        assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
        assert page.header("X-Frame-Options") == "DENY"
        assert page.header("X-Content-Type-Options") == "nosniff"
        assert page.header("Referrer-Policy") == "same-origin"
        assert page.header("Cache-Control") == "no-store"
        assert page.header("Strict-Transport-Security") == ""
        assert "<script>" not in page.text
        assert " style=" not in page.text


async def test_static_files_are_kept_for_good_under_the_hash_of_what_they_hold(site: Served) -> None:
    browser = site.browser()
    url = site.console.web.site.static.url("kit.css") if site.console.web else ""
    kept = await browser.get(url)
    assert (kept.status, kept.header("Content-Type")) == (200, "text/css; charset=utf-8")
    assert kept.header("Cache-Control") == "public, max-age=31536000, immutable"
    other = await browser.get("/static/of-another-version/kit.css")
    assert (other.status, other.header("Cache-Control")) == (200, "no-cache")
    for path in ("../web/site.py", "%2e%2e/site.py", "kit", "nothing.css"):
        assert (await browser.get(f"/static/x/{path}")).status == 404


async def test_the_api_takes_no_cookie(site: Served) -> None:
    browser = await site.at_terminal()
    page = await browser.get("/api/approvals")
    assert page.status == 401


async def test_who_is_blocked_is_out_at_once_on_every_page(floor: Floor, site: Served) -> None:
    browser = await site.at_terminal()
    announcer = Announcer(floor.kafka)
    announcer.start()
    record = principal_blocked(stamp(), ME.issuer, ME.subject, by="test", reason="the laptop is lost")
    try:
        assert await announcer.control(record["target"], record)
        web = site.console.web
        assert web is not None
        await until(lambda: bool(site.console.blocked(ME)))
        page = await browser.get("/me")
        assert_page(page, 403, "You are blocked")
        assert "the laptop is lost" in page.text
        again = await site.browser().post("/login", {"token": TOKEN, "next": "/me"})
        assert_page(again, 403, "You are blocked")
    finally:
        assert await announcer.control(record["target"], None)
        await until(lambda: not site.console.blocked(ME))
        await announcer.stop()
    assert (await browser.get("/me")).path.startswith("/login"), "the block ended the login for good"


async def test_rest_and_age_end_a_login(tmp_path: Path) -> None:
    clock = [0.0]
    logins = Logins(web_settings(tmp_path, idle_seconds=60.0, absolute_seconds=150.0), lambda: clock[0])
    caller = caller_of("ann")
    token = logins.begin(caller, "Ann")
    for clock[0] in (50.0, 100.0, 149.0):
        assert logins.find(token)
    clock[0] = 150.0
    assert logins.find(token) is None
    token, clock[0] = logins.begin(caller, "Ann"), 209.0
    found = logins.find(token)
    clock[0] = 269.0
    assert found is not None
    assert not logins.lives(found.key), "a stream that goes on keeps nobody logged in"


def caller_of(name: str) -> Caller:
    """Somebody of an issuer."""
    person = Person("https://id.example.com", name)
    return Caller(person, person)


async def test_one_person_cannot_fill_the_memory_with_logins(tmp_path: Path) -> None:
    logins = Logins(web_settings(tmp_path, sessions_max=5, sessions_by_person_max=2))
    mine = [logins.begin(caller_of("ann"), "Ann") for _ in range(10)]
    assert [bool(logins.find(token)) for token in mine] == [False] * 8 + [True] * 2
    others = [logins.begin(caller_of(f"p{number}"), "P") for number in range(5)]
    assert all(logins.find(token) for token in others)


def test_hidden_characters_are_shown_and_html_is_text() -> None:
    text = "<script>alert(1)</script>\u202egpj.exe\x1b[31m\u200b=cmd()"
    assert plain(text) == "<script>alert(1)</script>⟦U+202E⟧gpj.exe⟦U+001B⟧[31m⟦U+200B⟧=cmd()"
    html = str(shown(text))
    assert "<script>" not in html
    assert "\u202e" not in html
    assert 'title="right-to-left override">U+202E</span>' in html
