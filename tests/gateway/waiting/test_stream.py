"""Signs of life, progress and the answer at the end of a stream, as parsers of event streams read them."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import JSONRPCError, JSONRPCResponse, ProgressNotification, jsonrpc_message_adapter

from gateway.frames.jsonrpc import look
from gateway.frames.sse import EventSplitter, fields
from gateway.waiting import cancelled_id, keep_alive, patience, progress, wrapped
from tests.gateway.waiting.shapes import body

ASKED = body()


def events(stream: bytes) -> list[httpx2.ServerSentEvent]:
    """What the official client's parser makes of a stream."""
    response = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    response.request = httpx2.Request("POST", "http://x")
    return list(httpx2.EventSource(response))


def answer(status: int, data: bytes, **headers: str) -> Any:
    """The one message of the event that such an answer becomes."""
    pairs = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    stream = wrapped(look(ASKED), status, pairs, data)
    [one] = events(stream)
    assert one.event == "message"
    blocks = EventSplitter(10_000_000).feed(stream)
    assert [json.loads(fields(block).data) for block in blocks] == [json.loads(one.data)]
    return jsonrpc_message_adapter.validate_json(one.data, by_name=False)


def test_a_sign_of_life_says_nothing() -> None:
    assert events(keep_alive() * 3) == []
    assert EventSplitter(100).feed(keep_alive() * 2) == [keep_alive(), keep_alive()]
    assert fields(keep_alive()).data == b""


@pytest.mark.parametrize("token", ["a\u2028\n", 7, 0, "", 2**60])
def test_progress_is_told_to_who_gave_a_token(token: str | int) -> None:
    data = body(meta={"progressToken": token})
    stream = b"".join(progress(look(data), data, n, 900, "waiting\nfor ann") or b"" for n in (10, 20))
    found = [ProgressNotification.model_validate_json(one.data, by_name=False) for one in events(stream)]
    assert [one.params.progress_token for one in found] == [token, token]
    assert [(one.params.progress, one.params.total) for one in found] == [(10, 900), (20, 900)]
    assert found[0].params.message == "waiting\nfor ann"


def test_progress_is_not_told_to_who_gave_none() -> None:
    for meta in (None, {}, {"progressToken": None}, {"progressToken": True}, {"progressToken": 1.5}):
        assert progress(look(ASKED), body(meta=meta), 1, 9, "x") is None
    batch = b"[" + body(meta={"progressToken": 1}) + b"]"
    assert progress(look(batch), batch, 1, 9, "x") is None


def test_a_total_that_is_not_known_is_not_told() -> None:
    data = body(meta={"progressToken": 1})
    [one] = events(progress(look(data), data, 1, 0, "x") or b"")
    assert "total" not in json.loads(one.data)["params"]


def test_who_hears_no_progress_is_not_kept_until_its_client_gives_up() -> None:
    assert patience(body(meta={"progressToken": 1}), 900) == 900
    assert patience(ASKED, 900) == 50
    assert patience(ASKED, 25) == 25


def test_an_answer_is_one_event_whatever_its_line_ends() -> None:
    for end in ("\n", "\r\n", "\r"):
        data = json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": []}}, indent=2)
        said = answer(200, data.replace("\n", end).encode())
        assert said == JSONRPCResponse(jsonrpc="2.0", id=7, result={"content": []})
    assert answer(200, b"\xef\xbb\xbf" + b'{"jsonrpc":"2.0","id":7,"result":{}}').id == 7


@given(
    st.recursive(st.none() | st.text() | st.integers(-9, 9), st.lists),
    st.sampled_from([None, 1]),
)
def test_no_result_is_changed_on_the_way(value: Any, indent: int | None) -> None:
    data = json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"x": value}}, indent=indent, ensure_ascii=False)
    assert answer(200, data.encode()).result == {"x": value}


def test_an_error_of_upstream_stays_the_error_that_it_is() -> None:
    said = answer(400, b'{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no","data":[1]}}')
    assert isinstance(said, JSONRPCError)
    assert (said.error.code, said.error.message, said.error.data) == (-32602, "no", [1])


@pytest.mark.parametrize("its_id", [b'"id":null,', b""])
def test_an_error_that_names_no_request_answers_this_one(its_id: bytes) -> None:
    said = answer(
        404, b'{"jsonrpc":"2.0",' + its_id + b'"error":{"code":-32001,"message":"Session not found"}}'
    )
    assert isinstance(said, JSONRPCError)
    assert (said.id, said.error.code) == (7, -32001)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"{}", b'{"method":"x"}', b"\xff"])
def test_what_is_no_answer_becomes_an_error_that_tells_the_status(data: bytes) -> None:
    said = answer(503, data, retry_after="30")
    assert isinstance(said, JSONRPCError)
    assert (said.id, said.error.code) == (7, -32603)
    assert said.error.data == {"http_status": 503, "retry_after": "30"}
    assert "HTTP 503" in said.error.message


def test_a_cancellation_names_the_request_as_the_look_at_it_does() -> None:
    for literal in (b"7", b'"a"', b'"\\u0061"', b"1.0"):
        asked = look(b'{"jsonrpc":"2.0","id":%b,"method":"tools/call"}' % literal)
        taken_back = (
            b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%b}}' % literal
        )
        assert cancelled_id(taken_back) == asked.id
    assert cancelled_id(ASKED) == ""
    assert cancelled_id(b'{"method":"notifications/cancelled"}') == ""
    assert cancelled_id(b"") == ""
