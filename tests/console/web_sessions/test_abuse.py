"""What was recorded to harm whoever looks does nothing (ABUSE 84); what is asked for beyond one's scope is not there,
and it is on the record that somebody asked (ABUSE 85)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.console.web_sessions.conftest import Pages, assert_inert, call

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>"
    "\x1b[2J\x1b]0;t\x07\u202egnp.exe\u2066\u200b\u0000'\"--;{{7*7}}"
)
ASKED = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{}}}'


async def test_84_whatever_was_recorded_is_inert_on_every_page(pages: Pages) -> None:
    told_by = EVIL.replace("\0", "")
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "result": {"content": [{"type": "text", "text": EVIL}], EVIL: "javascript:alert(1)"},
        },
        ensure_ascii=False,
    ).encode()
    names = ["principal_subject", "user_agent", "tool", "method", "rule", "reason", "jsonrpc_id", "http_path"]
    everywhere = dict.fromkeys(names, told_by)

    def make(frame: Any) -> None:
        call(frame, body, body, **everywhere, connection="prod", http_headers=f"x: {told_by}\r\n")
        call(
            frame,
            EVIL.encode(),
            EVIL.encode() + b"\xff\xfe",
            **everywhere,
            connection="prod",
            content_type="text/event-stream",
        )

    told = await pages.told(make)
    auditor, exchange = pages.auditor(), told.exchanges[0]
    frames = await pages.frames(told.exchanges[1])
    for path in (
        "/sessions?connection=prod",
        f"/sessions/{told.id}",
        f"/sessions/{told.id}/exchanges/{exchange}",
        f"/sessions/{told.id}/exchanges/{told.exchanges[1]}?as=yaml",
        f"/sessions/{told.id}/exchanges/{exchange}/tree",
        f"/sessions/{told.id}/compare?x={exchange}&x={told.exchanges[1]}",
        *(f"/frames/{frame}" for frame in frames),
    ):
        page = await auditor.get(path)
        assert page.status == 200, path
        assert "alert(1)" in page.text or path.endswith("/tree"), path
        assert "--;49" not in page.text
        assert_inert(page)
        assert "script-src 'self'" in page.header("Content-Security-Policy")


async def test_84_a_search_for_it_is_inert_too(pages: Pages) -> None:
    for name in ("text", "principal", "tool", "since"):
        page = await pages.ann().get(f"/sessions?{name}=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE")
        assert "&lt;script&gt;" in page.text
        assert_inert(page)


async def test_84_lines_without_end_and_what_is_no_text_are_cut_and_say_so(pages: Pages) -> None:
    huge = json.dumps({"a": "x" * 300_000, "b": list(range(5_000))}).encode()

    def make(frame: Any) -> None:
        call(frame, ASKED, huge, connection="prod")
        call(frame, ASKED, b'{"deep":' * 3_000 + b"1" + b"}" * 3_000, connection="prod")
        call(frame, ASKED, b"\x80" * 9_000, connection="prod")

    told = await pages.told(make)
    ann = pages.ann()
    page = await ann.get(f"/sessions/{told.id}")
    assert page.status == 200
    assert len(page.text) < 600_000
    assert "more characters" in page.text
    assert "The first 2,000 lines." in page.text
    assert "The first 1,024 of 9,000 bytes." in page.text


async def test_84_a_download_is_a_file_that_no_browser_opens(pages: Pages) -> None:
    told = await pages.told(lambda frame: call(frame, ASKED, b"<script>alert(1)</script>", connection="prod"))
    frames = await pages.frames(told.exchanges[0])
    page = await pages.ann().get(f"/frames/{frames[1]}/body")
    assert page.header("Content-Type") == "application/octet-stream"
    assert page.header("Content-Disposition").startswith("attachment; ")
    assert page.header("X-Content-Type-Options") == "nosniff"


async def test_85_sql_in_a_filter_is_a_word_to_look_for(pages: Pages) -> None:
    told = await pages.told(lambda frame: call(frame, ASKED, b"{}", connection="secret"))
    ann = pages.ann()
    for name, written in (
        ("principal", "' OR 1=1 --"),
        ("connection", "prod' OR 'a'='a"),
        ("tool", "x') UNION SELECT 1 --"),
        ("group", "{connection:String}"),
        ("verb", "%25"),
        ("resource", "\\'"),
        ("namespace", "*)"),
        ("outcome", "'; DROP TABLE audit.frames_stored"),
        ("text", "zzz' OR 1=1 --"),
    ):
        page = await ann.get(f"/sessions?{name}={written}")
        assert page.status == 200, page.text
        assert told.id not in page.text
        assert "0 sessions" in page.text


async def test_85_what_another_team_has_looks_as_if_it_were_not_there_and_is_recorded(pages: Pages) -> None:
    theirs = await pages.told(lambda frame: call(frame, ASKED, b"{}", connection="secret"))
    mine = await pages.told(lambda frame: call(frame, ASKED, b"{}", connection="prod"))
    (frame, _), exchange = await pages.frames(theirs.exchanges[0]), theirs.exchanges[0]
    ann = pages.ann()
    for path, target in (
        ("/sessions/{}", theirs.id),
        ("/sessions/{}/session.har", theirs.id),
        ("/sessions/{}/session.jsonl", theirs.id),
        ("/sessions/{}/report.pdf", theirs.id),
        (f"/sessions/{theirs.id}/exchanges/{{}}", exchange),
        (f"/sessions/{mine.id}/exchanges/{{}}", exchange),
        (f"/sessions/{theirs.id}/exchanges/{{}}/tree", exchange),
        (f"/sessions/{theirs.id}/exchanges/{{}}/terminal.cast", exchange),
        (f"/sessions/{mine.id}/compare?x={mine.exchanges[0]}&x={{}}", exchange),
        ("/frames/{}", frame),
        ("/frames/{}/body", frame),
    ):
        before = len(await pages.acts(target))
        page, none = await ann.get(path.format(target)), await ann.get(path.format(uuid4()))
        assert page.status == none.status == 404, path
        assert page.title == none.title
        assert _without_ids(page.text) == _without_ids(none.text)
        after = await pages.acts(target)
        assert [act["action"] for act in after[before:]] == ["trail.refused"], path
        assert json.loads(after[-1]["detail"])["exists"] is True
        if not path.endswith(".pdf"):  # whose bytes are no text for this browser
            elsewhere = mine.id in path and "compare" not in path
            assert (await pages.auditor().get(path.format(target))).status == (404 if elsewhere else 200)


@pytest.mark.parametrize("written", ["1", "' OR 1=1", "0193B2F0-5C1E-7CC1-9C1E-0242AC120002"])
async def test_85_what_is_no_id_is_not_there(pages: Pages, written: str) -> None:
    for path in ("/sessions/{}", "/frames/{}", "/sessions/{}/session.har"):
        assert (await pages.auditor().get(path.format(written))).status == 404


def _without_ids(text: str) -> str:
    """A page without what its address and login put into it."""
    lines = text.splitlines()
    return "\n".join(
        line
        for line in lines
        if "csrf" not in line and 'href="/sessions/' not in line and "/frames/" not in line
    )
