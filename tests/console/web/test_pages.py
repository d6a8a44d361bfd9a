"""Connections, rules and who looked: what the pages say over a store, within somebody's scope, and on the record."""

from __future__ import annotations

import json

from console.terminal import terminal_person
from console.web.pages.policy import difference, versions_of
from sinks.readers import AdminAct
from tests.console.conftest import Floor
from tests.console.web.serving import Served, acts_of, assert_page


def load(version: str, at: str, rules: str | None, outcome: str = "done") -> AdminAct:
    """A gateway took rules."""
    detail = {"version": version, "problems": [], **({} if rules is None else {"rules": rules})}
    return {
        "admin_id": "a",
        "at": at,
        "actor_kind": "gateway",
        "actor": "gateway",
        "actor_issuer": "",
        "action": "policy.load",
        "target": "shop",
        "reason": "",
        "outcome": outcome,
        "detail": json.dumps(detail),
    }


def test_every_start_tells_anew_what_was_taken_and_that_is_no_other_version() -> None:
    acts = [
        load("c", "2026-07-04", "three"),
        load("b", "2026-07-03", "two"),
        load("x", "2026-07-02T12", None, "refused"),
        load("b", "2026-07-02", "two"),
        load("a", "2026-07-01", "one"),
    ]
    found = versions_of(acts)
    assert [(each.version, each.since) for each in found] == [
        ("c", "2026-07-04"),
        ("b", "2026-07-02"),
        ("a", "2026-07-01"),
    ]


def test_a_difference_names_what_came_and_what_went() -> None:
    new, old = versions_of(
        [load("b", "2", "default: deny\nrules: []"), load("a", "1", "default: allow\nrules: []")]
    )
    lines = [(line.kind, line.text) for line in difference(old, new) if line.kind != "place"]
    assert lines == [("gone", "-default: allow"), ("added", "+default: deny"), ("same", " rules: []")]
    kept, lost = versions_of([load("b", "2", "text"), load("a", "1", None)])
    assert list(difference(lost, kept)) == []


async def test_connections_are_shown_while_the_store_is_away_and_that_is_on_the_record(
    floor: Floor, site: Served
) -> None:
    browser = await site.at_terminal()
    before = len(await acts_of(floor, "connections", "connections.view"))
    page = await browser.get("/connections")
    assert_page(page, 200, "Connections")
    assert "https://tickets.example.com/mcp" in page.text
    assert "tier=1" in page.text
    assert "How they do is not known right now" in page.text
    acts = await acts_of(floor, "connections", "connections.view")
    assert len(acts) == before + 1
    assert acts[-1]["actor_subject"] == terminal_person().subject


async def test_a_page_says_what_to_do_while_the_store_is_away(site: Served) -> None:
    browser = await site.at_terminal()
    for path in ("/looked", "/policy?connection=tickets"):
        page = await browser.get(path)
        assert_page(page, 503, "The store is away")
        assert "nothing is lost" in page.text
        assert page.header("Retry-After") == "5"


async def test_a_filter_that_is_misspelt_shows_nothing(site: Served) -> None:
    browser = await site.at_terminal()
    for query in ("actr=ann", "actor=a&actor=b", "since=yesterday", "actor=" + "x" * 1_001):
        page = await browser.get(f"/looked?{query}")
        assert_page(page, 400, "This address cannot be read")


async def test_an_unknown_connection_is_absent(site: Served) -> None:
    browser = await site.at_terminal()
    assert_page(await browser.get("/policy?connection=nobodys"), 404, "There is no such connection")
