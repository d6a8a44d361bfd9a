"""A session taken home: every frame of it, in forms that other programs read, and on the record before it begins."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.console.web_sessions.conftest import Pages, call
from tests.exports.test_har import HAR, Draft202012Validator

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pod","arguments":{}}}'


def three(frame: Any) -> None:
    """Three calls."""
    for number in range(3):
        call(frame, ASKED, b'{"jsonrpc":"2.0","id":1,"result":{"n":%d}}' % number)


async def test_an_http_archive_of_a_session_is_valid_whole_and_has_the_headers_on_record(
    pages: Pages,
) -> None:
    told = await pages.told(three, connection="prod", http_headers="x-trace: abc\r\n")
    page = await pages.ann().get(f"/sessions/{told.id}/session.har")
    assert page.header("Content-Disposition") == f'attachment; filename="session-{told.id}.har"'
    found = json.loads(page.text)
    Draft202012Validator(HAR).validate(found)
    entries = found["log"]["entries"]
    assert [each["_sluicegate"]["exchange_id"] for each in entries] == told.exchanges
    assert entries[0]["request"]["headers"] == [{"name": "x-trace", "value": "abc"}]
    (act,) = await pages.acts(told.id)
    assert (act["action"], act["actor_subject"]) == ("export.har", "ann")


async def test_json_lines_of_a_session_are_its_frames_in_order(pages: Pages) -> None:
    told = await pages.told(three, connection="prod")
    page = await pages.ann().get(f"/sessions/{told.id}/session.jsonl")
    rows = [json.loads(line) for line in page.text.splitlines()]
    assert len(rows) == 6
    assert [row["lane_seq"] for row in rows] == sorted(row["lane_seq"] for row in rows)
    assert {row["session_id"] for row in rows} == {told.id}
    assert [act["action"] for act in await pages.acts(told.id)] == ["export.jsonl"]


async def test_a_report_of_a_session_is_a_pdf_and_on_the_record(pages: Pages) -> None:
    told = await pages.told(three, connection="prod")
    ann = pages.ann()
    async with ann.http.get(
        f"{ann.base}/sessions/{told.id}/report.pdf", cookies=ann.cookies[ann.base.removeprefix("http://")]
    ) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        assert (await answer.read()).startswith(b"%PDF-")
    assert [act["action"] for act in await pages.acts(told.id)] == ["export.pdf"]


async def test_what_findings_rest_on_is_marked_in_the_conversation(pages: Pages) -> None:
    told = await pages.told(three, connection="prod")
    frame = (await pages.frames(told.exchanges[1]))[1]
    facts = {"session_id": told.id, "connection": "prod"}
    finding = await pages.desk.raised(
        "r", title="odd <b>thing</b>", evidence=[f"frame {frame}"], attributes=facts
    )
    page = await pages.ann().get(f"/sessions/{told.id}")
    assert f'href="/findings/{finding["finding_id"]}">odd &lt;b&gt;thing' in page.text
    assert '<summary data-jump="finding">in a finding (1)</summary>' in page.text
    assert f'<a href="#{told.exchanges[1]}">2.' in page.text
