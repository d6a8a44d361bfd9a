"""Logins at a terminal: how they begin, what they are worth, how they end."""

from __future__ import annotations

import pytest

from console.terminal import terminal_person
from console.web.site import safe_path
from tests.console.conftest import Floor
from tests.console.web.browsing import Browser
from tests.console.web.serving import TOKEN, Served, acts_of, assert_page, csrf_of

ME = terminal_person()


async def test_the_printed_link_leads_in_and_back_to_where_one_wanted_to_go(site: Served) -> None:
    browser = site.browser()
    asked = await browser.get("/me?tool=drop_table&text=a%20b")
    assert_page(asked, 200, "Log in")
    form = asked.form("/login")
    assert form.fields["next"] == "/me?tool=drop_table&text=a%20b"
    inside = await browser.send(form, token=TOKEN)
    assert (inside.status, inside.path) == (204, "/me?tool=drop_table&text=a%20b")


async def test_a_wrong_token_leads_nowhere_and_too_many_tries_have_to_wait(site: Served) -> None:
    browser = site.browser()
    page = await browser.post("/login", {"token": "guessed", "next": "/"})
    assert_page(page, 403, "Log in")
    assert "wrong" in page.text
    assert (await browser.get("/me")).path.startswith("/login")
    for _ in range(25):
        page = await browser.post("/login", {"token": "guessed", "next": "/"})
    assert_page(page, 429, "Too many tries")
    assert int(page.header("Retry-After")) >= 1


async def test_a_login_is_on_the_record_before_it_holds(floor: Floor, site: Served) -> None:
    before = len(await acts_of(floor, ME.name, "console.login"))
    await site.at_terminal()
    acts = await acts_of(floor, ME.name, "console.login")
    assert len(acts) == before + 1
    assert (acts[-1]["actor_kind"], acts[-1]["outcome"]) == ("console", "done")
    assert '"by":"terminal"' in acts[-1]["detail"]
    assert TOKEN not in str(acts)


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(site: Served) -> None:
    browser = await site.at_terminal()
    line = next(line for line in browser.set_cookies if line.startswith("sluicegate="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(line.split("; "))
    assert "Domain" not in line
    assert TOKEN not in line


async def test_each_login_has_a_new_cookie_and_ends_the_one_before_it(site: Served) -> None:
    browser = await site.at_terminal()
    old = dict(browser.cookies)
    first = {host: dict(jar) for host, jar in old.items()}
    await browser.post("/login", {"token": TOKEN, "next": "/me"})
    assert browser.cookies != first
    stolen = Browser(site.http, site.url, first)
    assert (await stolen.get("/me")).path.startswith("/login")
    assert (await browser.get("/me")).status == 204


async def test_a_cookie_that_somebody_chose_is_not_taken_over(site: Served) -> None:
    host = site.url.removeprefix("http://")
    browser = Browser(site.http, site.url, {host: {"sluicegate": "chosen"}})
    await browser.post("/login", {"token": TOKEN, "next": "/me"})
    assert browser.cookies[host]["sluicegate"] != "chosen"


async def test_a_logout_ends_it_for_good(floor: Floor, site: Served) -> None:
    browser = await site.at_terminal()
    host = site.url.removeprefix("http://")
    kept = {host: dict(browser.cookies[host])}
    csrf = await csrf_of(browser)
    left = await browser.post("/logout", {"csrf": csrf})
    assert_page(left, 200, "Log in")
    assert "sluicegate" not in browser.cookies[host]
    assert (await Browser(site.http, site.url, kept).get("/me")).path.startswith("/login")
    assert await acts_of(floor, ME.name, "console.logout")


@pytest.mark.parametrize(
    "given", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:1", "/a\nb", "x", ""]
)
def test_a_login_never_leads_to_another_site(given: str) -> None:
    assert safe_path(given) == "/"
