"""A session again: bodies with redactions explained, streams, terminals, two calls compared, what caused what."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from tests.console.web_sessions.conftest import Pages, assert_inert, call

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pod","arguments":{"name":"web-1"}}}'
)
SECRET = "[masked:password:7f3a9c]"


def answered(text: str) -> bytes:
    """An answer of a tool."""
    return json.dumps(
        {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}
    ).encode()


def masked(body: bytes, path: str = "$.result.content[0].text") -> list[dict[str, Any]]:
    """The redaction of the pseudonym in `body`."""
    start = body.index(SECRET.encode())
    end = start + len(SECRET)
    return [{"path": path, "rule": "name:password", "start": start, "end": end, "pseudonym": SECRET}]


async def test_a_call_stands_beside_its_answer_with_what_the_tool_said_as_text(pages: Pages) -> None:
    told = await pages.told(
        lambda frame: call(frame, ASKED, answered("line one\nline two")), connection="prod"
    )
    page = await pages.ann().get(f"/sessions/{told.id}")
    assert page.status == 200
    assert page.title == "Replay: anonymous over prod · Sluicegate"
    assert f'<li id="{told.exchanges[0]}"' in page.text
    assert "get_pod, called with" in page.text
    assert "line one\nline two\n</code>" in page.text
    assert '<span class="key">name</span>' in page.text.replace('"', '"').replace("&#34;", "")
    assert_inert(page)


async def test_a_redaction_is_marked_where_it_stands_and_explained(pages: Pages) -> None:
    body = answered(f"user: root\npassword: {SECRET}")
    answer = {"redactions": masked(body)}
    told = await pages.told(lambda frame: call(frame, ASKED, body, answer=answer), connection="prod")
    page = await pages.ann().get(f"/sessions/{told.id}")
    assert (
        len(re.findall(rf'<a class="masked" href="#f[0-9a-f-]+-r1"[^>]*>{re.escape(SECRET)}</a>', page.text))
        == 2
    )
    assert "$.result.content[0].text, by rule <code>name:password</code>" in page.text
    assert 'href="/sessions?text=masked+password+7f3a9c&amp;last=30d"' in page.text


async def test_text_that_only_looks_like_a_redaction_is_not_marked(pages: Pages) -> None:
    told = await pages.told(lambda frame: call(frame, ASKED, answered(f"I say {SECRET}")), connection="prod")
    page = await pages.ann().get(f"/sessions/{told.id}")
    assert SECRET in page.text
    assert 'class="masked"' not in page.text


async def test_bodies_are_laid_out_as_yaml_when_the_address_says_so(pages: Pages) -> None:
    told = await pages.told(
        lambda frame: call(frame, ASKED, b'{"kind":"Pod","metadata":{"labels":{"app":"web"}}}'),
        connection="prod",
    )
    page = await pages.ann().get(f"/sessions/{told.id}/exchanges/{told.exchanges[0]}?as=yaml")
    assert re.sub(r"<[^>]+>", "", page.text).count("labels:\n    app: web\n") == 1


async def test_what_was_denied_is_said_in_words_and_can_be_jumped_to(pages: Pages) -> None:
    refused = {"outcome": "refused", "http_status": 403, "reason": "nobody deletes here"}

    def make(frame: Any) -> None:
        call(frame, ASKED, answered("fine"))
        call(frame, ASKED, b"{}", verdict="deny", rule="no-delete", answer=refused)

    told = await pages.told(make, connection="prod")
    page = await pages.ann().get(f"/sessions/{told.id}")
    assert (
        f'<summary data-jump="denied">denied (1)</summary>\n      <ul><li><a href="#{told.exchanges[1]}">2.'
        in page.text
    )
    assert "<b>Reason:</b> nobody deletes here" in page.text
    assert 'data-signs="denied"' in page.text


async def test_a_part_of_a_page_is_that_exchange_alone_and_recorded_once_with_its_session(
    pages: Pages,
) -> None:
    told = await pages.told(lambda frame: call(frame, ASKED, answered("fine")), connection="prod")
    ann, exchange = pages.ann(), told.exchanges[0]
    part = await ann.get(f"/sessions/{told.id}/exchanges/{exchange}?part=1")
    assert "<html" not in part.text
    assert "get_pod, called with" in part.text
    assert [act["action"] for act in await pages.acts(exchange)] == ["exchange.view"]
    await ann.get(f"/sessions/{told.id}")
    await ann.get(f"/sessions/{told.id}/exchanges/{exchange}?part=1")
    assert [act["action"] for act in await pages.acts(exchange)] == ["exchange.view"]
    assert [act["action"] for act in await pages.acts(told.id)] == ["session.view"]


async def test_a_watch_is_shown_as_a_stream_of_what_happened_to_objects(pages: Pages) -> None:
    def make(frame: Any) -> None:
        facts = {"protocol": "kubernetes", "attributes": {"k8s.verb": "watch"}, "method": "", "tool": ""}
        exchange = frame(b"", **facts)
        for number, kind in enumerate(("ADDED", "MODIFIED", "DELETED", "BOOKMARK")):
            item = {
                "type": kind,
                "object": {"kind": "Pod", "metadata": {"namespace": "shop", "name": "web-1"}},
            }
            last = {"outcome": "completed"} if kind == "BOOKMARK" else {}
            frame(
                json.dumps(item).encode() + b"\n",
                **{
                    **facts,
                    "exchange_id": exchange,
                    "direction": "response",
                    "elapsed_us": number * 1_000_000,
                    **last,
                },
            )

    told = await pages.told(make, connection="prod")
    page = await pages.ann().get(f"/sessions/{told.id}")
    assert "Stream: 4 frames" in page.text
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        assert f"{kind} Pod shop/web-1" in page.text


async def test_a_terminal_is_told_as_text_and_offered_as_a_film(pages: Pages) -> None:
    path = "/k8s/prod/api/v1/namespaces/shop/pods/web-1/exec?command=sh&stdin=true&stdout=true&tty=true"

    def make(frame: Any) -> None:
        facts = {"protocol": "kubernetes", "http_path": path, "method": "", "tool": "", "content_type": ""}
        exchange = frame(b"", **facts)
        for channel, said in (
            ("stdout", b"\x1b[1;32m$\x1b[0m "),
            ("stdin", b"ls\r"),
            ("stdout", b"ls\r\n\x1b]0;evil title\x07b.txt\r\n"),
        ):
            direction = "request" if channel == "stdin" else "response"
            attributes = {"k8s.channel": channel}
            frame(
                said, **{**facts, "exchange_id": exchange, "direction": direction, "attributes": attributes}
            )
        frame(b"", **{**facts, "exchange_id": exchange, "direction": "end", "outcome": "completed"})

    told = await pages.told(make, connection="prod")
    ann, exchange = pages.ann(), told.exchanges[0]
    page = await ann.get(f"/sessions/{told.id}/exchanges/{exchange}")
    assert f'data-terminal="/sessions/{told.id}/exchanges/{exchange}/terminal.cast?play=1"' in page.text
    assert '<span class="channel">stdout</span>\nls\nb.txt' in page.text
    assert "evil title" not in page.text
    assert_inert(page)
    film = await ann.get(f"/sessions/{told.id}/exchanges/{exchange}/terminal.cast?play=1")
    head, *events = map(json.loads, film.text.splitlines())
    assert head["version"] == 2
    assert [event[1:] for event in events][1] == ["i", "ls\r"]
    assert [act["action"] for act in await pages.acts(exchange)] == ["exchange.view", "terminal.play"]


async def test_two_calls_are_compared_line_by_line(pages: Pages) -> None:
    def make(frame: Any) -> None:
        call(frame, ASKED, answered("same"))
        call(frame, ASKED.replace(b"web-1", b"web-2"), answered("same"))

    told = await pages.told(make, connection="prod")
    one, two = told.exchanges
    page = await pages.ann().get(f"/sessions/{told.id}/compare?x={one}&x={two}")
    assert "Request: 1 line differs" in page.text
    assert "Answer: the same" in page.text
    assert '<span class="unseen">changed</span>' in page.text
    page = await pages.ann().get(f"/sessions/{told.id}/compare?x={one}")
    assert page.status == 400
    assert "Choose two calls" in page.text


async def test_causes_and_effects_lead_to_the_other_sessions(pages: Pages) -> None:
    above = await pages.told(lambda frame: call(frame, ASKED, answered("ok")), connection="prod")
    cause = above.exchanges[0]

    def make(frame: Any) -> None:
        facts = {"protocol": "kubernetes", "method": "", "tool": "", "http_method": "GET"}
        caused = {"k8s.verb": "get", "parent.exchange_id": cause}
        at = above.trail.started_us + 1_500
        exchange = frame(b"", **facts, attributes=caused, recorded_at=at)
        frame(
            b"{}",
            **{**facts, "exchange_id": exchange, "attributes": caused, "recorded_at": at + 10},
            direction="response",
            outcome="completed",
        )

    below = await pages.told(make, connection="demo")
    page = await pages.ann().get(f"/sessions/{above.id}/exchanges/{cause}/tree")
    assert f'href="/sessions/{below.id}#{below.exchanges[0]}"' in page.text
    assert "its User-Agent" in page.text


async def test_exact_bytes_and_headers_are_shown_on_demand_and_that_is_recorded(pages: Pages) -> None:
    headers = "content-type: application/json\r\nauthorization: [masked:bearer:aaaaaa]\r\n"
    row = {
        "path": "http_headers",
        "rule": "header",
        "start": -1,
        "end": -1,
        "pseudonym": "[masked:bearer:aaaaaa]",
    }
    told = await pages.told(
        lambda frame: call(frame, ASKED, b"\xff\xfe\x00bytes", http_headers=headers, redactions=[row]),
        connection="prod",
    )
    ask, answer = await pages.frames(told.exchanges[0])
    ann = pages.ann()
    page = await ann.get(f"/frames/{ask}")
    assert 'title="masked: see below">[masked:bearer:aaaaaa]</a>' in page.text
    assert "in the header lines, by rule <code>header</code>" in page.text
    page = await ann.get(f"/frames/{answer}")
    assert "00000000  ff fe 00 62 79 74 65 73" in page.text
    assert_inert(page)
    assert [act["action"] for act in await pages.acts(answer)] == ["frame.bytes"]


async def test_a_session_of_a_thousand_frames_takes_less_than_a_second_of_work(pages: Pages) -> None:
    def make(frame: Any) -> None:
        for number in range(500):
            call(frame, ASKED.replace(b"web-1", b"web-%d" % number), answered("fine " * 200))

    told = await pages.told(make, connection="prod")
    ann = pages.ann()
    await ann.get(f"/sessions/{told.id}")
    begun = (
        time.process_time()
    )  # of this process, the console and the browser: whoever else is busy does not count
    page = await ann.get(f"/sessions/{told.id}")
    assert time.process_time() - begun < 1.0
    assert page.text.count("data-exchange") == 500
    assert page.text.count("data-loaded") == 6
    assert len(page.text) < 1_000_000
