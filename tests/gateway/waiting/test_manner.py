"""A client is kept waiting in the way that its own request says it understands."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import look
from gateway.waiting import manner
from gateway.waiting.seals import StateSeal
from tests.gateway.waiting.shapes import ANN, BOTH, CLASSIC, ID, KEY, MODERN, body, modern_meta, request

PAGE = "https://approvals.example/a/1"
URL, TASKS = {"elicitation": {"url": {}}}, {"extensions": {"io.modelcontextprotocol/tasks": {}}}
POLLING: Headers = [(b"accept", b"application/json")]


def how(
    data: bytes, version: str = "", url: str = PAGE, headers: Headers = BOTH, method: str = "POST"
) -> str:
    """The manner for such a request."""
    return manner(request(data, headers, method), look(data), version, url)


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", CLASSIC, ""])
def test_the_older_eras_wait_on_the_stream(version: str) -> None:
    assert how(body(), version) == "stream"
    assert how(body("resources/read", uri="x://y"), version) == "stream"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"application/json, text/event-stream", "stream"),
        (b"TEXT/Event-Stream;q=0.5", "stream"),
        (b"text/event-stream; q=0.001", "stream"),
        (b"text/event-stream;q=0", "poll"),
        (b"text/event-stream; q = 0.000", "poll"),
        (b"application/json", "poll"),
        (b"*/*", "poll"),
        (b"text/event-streams", "poll"),
        (b"", "poll"),
    ],
)
def test_only_who_names_server_sent_events_is_streamed_to(accept: bytes, expected: str) -> None:
    assert how(body(), CLASSIC, headers=[(b"accept", accept)]) == expected
    assert how(body(), CLASSIC, headers=[(b"accept", b"text/html"), (b"accept", accept)]) == expected


def test_what_is_no_request_by_post_is_answered_before_long() -> None:
    assert how(b'{"jsonrpc":"2.0","method":"notifications/x"}', CLASSIC) == "poll"
    assert how(b"[" + body() + b"]", "2025-03-26") == "poll"
    assert how(b"", CLASSIC, method="GET") == "poll"
    assert how(body(), CLASSIC, method="DELETE") == "poll"


def test_who_opens_pages_is_sent_to_one_where_there_is_one() -> None:
    data = body(meta=modern_meta(**URL))
    assert how(data) == "elicit"
    assert how(data, headers=POLLING) == "elicit"
    for no_page in ("", "/approvals/1", "approvals.example/a/1", "javascript:x"):
        assert how(data, url=no_page) == "stream"
    assert how(body("prompts/get", name="p", meta=modern_meta(**URL))) == "elicit"
    assert how(body("resources/read", uri="x://y", meta=modern_meta(**URL))) == "elicit"
    assert how(body("tools/list", meta=modern_meta(**URL))) == "stream"


@pytest.mark.parametrize(
    "capabilities",
    [
        {},
        {"elicitation": {}},
        {"elicitation": {"form": {}}},
        {"elicitation": {"url": True}},
        {"elicitation": []},
    ],
)
def test_who_declares_no_pages_is_sent_to_none(capabilities: dict[str, Any]) -> None:
    assert how(body(meta=modern_meta(**capabilities))) == "stream"


def test_capabilities_of_a_request_of_an_older_era_mean_nothing() -> None:
    meta = modern_meta(**URL, **TASKS)
    del meta["io.modelcontextprotocol/protocolVersion"]
    assert how(body(meta=meta), CLASSIC) == "stream"
    assert how(body(meta=meta), MODERN) == "elicit"  # by its header


def test_who_comes_back_with_a_state_ours_or_upstreams_is_not_sent_there_again() -> None:
    ours = StateSeal(KEY).seal(ID, ANN, "disks", "d", 2**31 * 1_000_000)
    for state in (ours, "upstream's~sg1..AAAAAAAAAAAAAAAAAAAAAA"):
        assert how(body(meta=modern_meta(**URL), requestState=state)) == "stream"
        assert how(body(meta=modern_meta(**URL, **TASKS), requestState=state)) == "task"
    assert how(body(meta=modern_meta(**URL), requestState=None)) == "elicit"


def test_a_task_is_made_for_a_call_that_asks_for_one_or_whose_client_takes_them() -> None:
    assert how(body(task={"ttl": 1}), CLASSIC) == "task"
    assert how(body(task={}), CLASSIC, headers=POLLING) == "task"
    assert how(body(meta=modern_meta(**TASKS))) == "task"
    assert how(body(meta=modern_meta(**TASKS, **URL))) == "elicit"


def test_no_task_is_made_where_the_revision_or_the_method_has_none() -> None:
    assert how(body(task={}), "2025-06-18") == "stream"
    assert how(body(task=True), CLASSIC) == "stream"
    assert how(body(task={}, meta=modern_meta())) == "stream"
    assert how(body("prompts/get", name="p", task={}), CLASSIC) == "stream"
    assert how(body("prompts/get", name="p", meta=modern_meta(**TASKS))) == "stream"


@pytest.mark.parametrize(
    "data", [b'{"id":1,"method":"tools/call","params":[]}', b'{"id":1,"method":"tools/call"}']
)
def test_odd_requests_are_streamed_to(data: bytes) -> None:
    assert how(data, MODERN) == "stream"
    assert how(data, CLASSIC) == "stream"
