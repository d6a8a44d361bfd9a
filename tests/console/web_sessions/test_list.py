"""The list of sessions: every filter in the address, saved searches, what is new, and help where there is nothing."""

from __future__ import annotations

import json
from html import unescape

import pytest

from tests.console.web_sessions.conftest import Pages, call

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pod","arguments":{"name":"web-1"}}}'
)
ANSWERED = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"pelicans are fine"}]}}'


async def test_a_session_is_listed_with_who_what_and_how_it_went(pages: Pages) -> None:
    told = await pages.told(lambda frame: call(frame, ASKED, ANSWERED), connection="prod")
    page = await pages.ann().get("/sessions")
    assert page.status == 200
    assert page.title == "Sessions: every session · Sluicegate"
    assert f'data-href="/sessions/{told.id}"' in page.text


async def test_every_word_of_a_search_and_every_filter_narrows_the_list(pages: Pages) -> None:
    denied = {"verdict": "deny", "rule": "no", "answer": {"outcome": "refused", "http_status": 403}}

    def both(frame: object) -> None:
        call(frame, ASKED, ANSWERED.replace(b"pelicans", b"wombats quokka"), tool="delete_pod")

    told = await pages.told(both, connection="prod", principal_subject="zoe")
    row = {"path": "", "rule": "r", "start": 0, "end": 2, "pseudonym": "[masked:x:000000]"}
    secret = await pages.told(
        lambda frame: call(frame, ASKED, ANSWERED, redactions=[row]),
        connection="prod",
        principal_subject="yuri",
    )
    refused = await pages.told(lambda frame: call(frame, ASKED, b"{}", **denied), connection="prod")
    ann = pages.ann()
    for query, found in (
        ("text=wombats+quokka", True),
        ("text=wombats+pelicans", False),
        ("principal=zoe&tool=delete_pod", True),
        ("principal=zoe&tool=get_pod", False),
        ("connection=prod&principal=zoe&verdict=deny", False),
        ("connection=demo&principal=zoe", False),
        ("principal=zoe&outcome=completed&group=sre", True),
        ("principal=zoe&redacted=1", False),
        ("principal=yuri&redacted=1", True),
        ("principal=zoe&finding=1", False),
        ("principal=zoe&until=2020-01-01T00:00:00Z", False),
        ("principal=zoe&since=2020-01-01T00:00:00Z", True),
    ):
        page = await ann.get(f"/sessions?{query}")
        assert page.status == 200, page.text
        assert ((secret if "yuri" in query else told).id in page.text) == found, query
    page = await ann.get("/sessions?verdict=deny&connection=prod")
    assert refused.id in page.text
    assert told.id not in page.text


async def test_what_a_form_sends_becomes_an_address_that_means_the_same_to_everybody(pages: Pages) -> None:
    ann = pages.ann()
    host = ann.base.removeprefix("http://")
    ann.cookies[host]["sluicegate-zone"] = "America/New_York"
    page = await ann.get("/sessions?text=&principal=zoe&connection=&since=2026-11-21T09:00&until=&last=")
    assert page.path == "/sessions?principal=zoe&since=2026-11-21T14%3A00%3A00Z"
    assert 'value="2026-11-21T14:00:00Z"' in page.text


async def test_what_cannot_be_meant_is_said_at_the_form_and_nothing_is_looked_for(pages: Pages) -> None:
    page = await pages.ann().get("/sessions?since=yesterday&last=9y")
    assert page.status == 400
    assert "no time; write" in page.text
    assert 'role="alert"' in page.text
    assert 'id="list"' not in page.text


async def test_a_search_is_on_the_record_before_it_is_answered(pages: Pages) -> None:
    await pages.ann().get("/sessions?principal=somebody-quite-else")
    (act,) = await pages.acts("person somebody-quite-else")
    assert (act["action"], act["actor_subject"], act["outcome"]) == ("session.search", "ann", "done")
    assert json.loads(act["detail"])["query"] == "principal=somebody-quite-else"


async def test_where_nothing_is_found_the_page_says_what_to_do(pages: Pages) -> None:
    page = await pages.ann().get("/sessions?principal=nobody-at-all")
    assert "No session is like this" in page.text
    assert 'href="/sessions?last=365d"' in page.text


async def test_the_picture_over_time_can_be_narrowed_without_a_script(pages: Pages) -> None:
    await pages.told(lambda frame: call(frame, ASKED, ANSWERED), connection="prod", principal_subject="yan")
    ann = pages.ann()
    page = await ann.get("/sessions?principal=yan&last=24h")
    assert 'role="img"' in page.text
    assert "1 exchange: 0 denied or held, 0 failed" in page.text
    part = page.text.partition("As a table")[2]
    address = unescape(part.partition('<th scope="row"><a href="')[2].partition('"')[0])
    assert address.startswith("/sessions?principal=yan&since=")
    assert "1 session" in (await ann.get(address)).text


async def test_a_saved_search_is_the_persons_own_and_is_there_at_once_until_it_is_forgotten(
    pages: Pages,
) -> None:
    ann = pages.ann()
    page = await ann.get("/sessions?verdict=deny&last=30d")
    form = next(form for form in page.forms() if form.action == "/sessions/saved")
    page = await ann.send(form, name="Denied <b>lately</b>")
    assert page.path == "/sessions?verdict=deny&last=30d"
    assert "Denied &lt;b&gt;lately&lt;/b&gt;" in page.text
    assert "Denied &lt;b&gt;" not in (await pages.auditor().get("/sessions")).text
    forget = next(form for form in page.forms() if form.fields.get("forget"))
    page = await ann.send(forget)
    assert "Denied &lt;b&gt;" not in page.text
    acts = await pages.acts("Denied <b>lately</b>")
    assert [act["action"] for act in acts] == ["search.save", "search.forget"]


async def test_a_saved_search_needs_a_name_and_the_token_of_the_page(pages: Pages) -> None:
    ann = pages.ann()
    form = next(form for form in (await ann.get("/sessions")).forms() if form.action == "/sessions/saved")
    assert (await ann.send(form, name="\u202etxt")).status == 400
    assert (await ann.send(form, name="mine", csrf="guessed")).status == 403


async def test_an_open_page_is_told_which_sessions_have_something_new(pages: Pages) -> None:
    told = await pages.told(
        lambda frame: call(frame, ASKED, ANSWERED), connection="prod", principal_subject="xi"
    )
    ann = pages.ann()
    session = await pages.desk.reader.session(told.id)
    assert session is not None
    before = await ann.get("/sessions/news?principal=xi&newer=2026-01-01T00:00:00Z")
    assert json.loads(before.text) == {"sessions": [told.id]}
    after = await ann.get(f"/sessions/news?principal=xi&newer={session['last_at']}")
    assert json.loads(after.text) == {"sessions": []}


async def test_sessions_of_other_teams_are_neither_listed_nor_counted_nor_news(pages: Pages) -> None:
    told = await pages.told(
        lambda frame: call(frame, ASKED, ANSWERED), connection="secret", principal_subject="spy"
    )
    ann, auditor = pages.ann(), pages.auditor()
    page = await ann.get("/sessions?principal=spy")
    assert told.id not in page.text
    assert "0 exchanges" in page.text
    assert json.loads((await ann.get("/sessions/news?principal=spy&newer=2026-01-01T00:00:00Z")).text) == {
        "sessions": []
    }
    assert told.id in (await auditor.get("/sessions?principal=spy")).text
