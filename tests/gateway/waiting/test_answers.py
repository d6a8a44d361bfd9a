"""Who is not kept waiting, or waits in vain, is told so in the form of its protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp.types import CallToolResult, JSONRPCError, JSONRPCResponse, TextContent, jsonrpc_message_adapter

from gateway.frames.jsonrpc import Look, look
from gateway.held import Approval
from gateway.waiting import denied_answer, pending_answer
from gateway.waiting.answers import Kind, Told
from tests.gateway.waiting.shapes import (
    DENIED,
    EXPIRED,
    ID,
    MODERN,
    PENDING,
    REVOKED,
    USED,
    body,
    modern_meta,
)

CALL = look(body())
PAGE = "https://gateway.example/approvals/1"
WHY = "disks are wiped by two"


def result(told: Told) -> tuple[CallToolResult, dict[str, Any]]:
    """A tool's result, and what its `_meta` says to programs."""
    status, headers, data = told
    assert (status, headers) == (200, [(b"content-type", b"application/json")])
    message = jsonrpc_message_adapter.validate_json(data, by_name=False)
    assert isinstance(message, JSONRPCResponse)
    assert message.id == 7
    found = CallToolResult.model_validate(message.result, by_name=False)
    assert found.is_error
    return found, (found.meta or {})["sluicegate/refusal"]


def text(found: CallToolResult) -> str:
    """What the agent reads."""
    [content] = found.content
    assert isinstance(content, TextContent)
    return content.text


def error(told: Told, status: int = 200) -> JSONRPCError:
    """A JSON-RPC error."""
    assert told[0] == status
    message = jsonrpc_message_adapter.validate_json(told[2], by_name=False)
    assert isinstance(message, JSONRPCError)
    return message


def test_an_agent_is_told_to_repeat_the_same_call() -> None:
    found, data = result(pending_answer(CALL, PENDING, WHY, status_url=PAGE, retry_after=5))
    assert text(found) == (
        f"Not executed yet: it waits for a person's approval ({WHY}). Approval {ID}."
        f" Repeat the same call in 5 s: it finds this approval. Its state: {PAGE}"
    )
    assert data == {"reason": "approval_pending", "approval_id": ID, "status_url": PAGE, "retry_after": 5}


def test_an_agent_is_told_no_more_than_is_known() -> None:
    found, data = result(pending_answer(CALL, PENDING))
    assert text(found) == (
        f"Not executed yet: it waits for a person's approval. Approval {ID}."
        " Repeat the same call later: it finds this approval."
    )
    assert data == {"reason": "approval_pending", "approval_id": ID}


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        (DENIED, "Not executed: denied by sue: not today. It needs"),
        (EXPIRED, "Not executed: nobody approved it in time. It needs"),
        (REVOKED, "Not executed: its approval was withdrawn. It needs"),
        (USED, "Not executed: its approval was used before. It needs"),
    ],
)
def test_an_agent_is_told_why_it_waited_in_vain(approval: Approval, said: str) -> None:
    found, data = result(denied_answer(CALL, approval, WHY))
    assert text(found).startswith(said)
    assert WHY in text(found)
    assert ID in text(found)
    assert data == {"reason": f"approval_{approval.state}", "approval_id": ID}


def test_a_result_of_the_newest_revision_says_that_it_is_complete() -> None:
    by_body, by_header = look(body(meta=modern_meta())), CALL
    for told in (pending_answer(by_body, PENDING), pending_answer(by_header, PENDING, version=MODERN)):
        assert json.loads(told[2])["result"]["resultType"] == "complete"
    assert "resultType" not in json.loads(pending_answer(CALL, PENDING)[2])["result"]


def test_what_is_no_tool_call_gets_an_error() -> None:
    asked = look(body("resources/read", uri="x://y"))
    found = error(pending_answer(asked, PENDING, retry_after=5))
    assert (found.id, found.error.code) == (7, -32089)
    assert found.error.data == {"reason": "approval_pending", "approval_id": ID, "retry_after": 5}
    assert error(denied_answer(asked, EXPIRED)).error.data["reason"] == "approval_expired"


def test_who_asked_for_a_task_gets_an_error_since_no_tools_result_is_a_task() -> None:
    data = body(task={"ttl": 1})
    assert error(pending_answer(look(data), PENDING, body=data)).error.code == -32089
    assert error(denied_answer(look(data), DENIED, body=data)).error.data["reason"] == "approval_denied"


def test_each_request_of_a_batch_is_answered() -> None:
    note = b'{"jsonrpc":"2.0","method":"notifications/x"}'
    read = body("resources/read", uri="x://y").replace(b'"id": 7', b'"id": "r"')
    batch = look(b"[" + b",".join([body(), note, read]) + b"]")
    status, _, data = pending_answer(batch, PENDING)
    first, second = json.loads(data)
    assert status == 200
    assert (first["id"], first["result"]["isError"]) == (7, True)
    assert (second["id"], second["error"]["code"]) == ("r", -32089)
    only_notes = pending_answer(look(b"[" + note + b"]"), PENDING)
    assert only_notes[0] == 403
    assert json.loads(only_notes[2])["id"] is None


def test_what_asks_for_no_answer_gets_403() -> None:
    asked = look(b'{"jsonrpc":"2.0","method":"notifications/x"}')
    status, _, data = denied_answer(asked, DENIED)
    assert status == 403
    assert json.loads(data)["error"]["data"]["approval_id"] == ID


def test_http_is_told_that_it_was_taken_and_where_and_when_to_look() -> None:
    status, headers, data = pending_answer(Look(), PENDING, WHY, status_url=PAGE, retry_after=5, kind="http")
    assert status == 202
    assert dict(headers) == {
        b"content-type": b"application/json",
        b"retry-after": b"5",
        b"location": PAGE.encode(),
    }
    said = json.loads(data)
    assert (said["state"], said["approval_id"], said["status_url"]) == ("pending", ID, PAGE)
    assert "Repeat the same call" in said["message"]


def test_http_is_told_that_it_will_not_be_done() -> None:
    status, headers, data = denied_answer(Look(), DENIED, WHY, kind="http")
    said = json.loads(data)
    assert (status, headers, said["state"]) == (403, [(b"content-type", b"application/json")], "denied")
    assert said["message"].startswith("Not executed: denied by sue: not today.")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://x/a%20b?c=d&e#f", b"https://x/a%20b?c=d&e#f"),
        ("https://x/ü", b"https://x/%C3%BC"),
        ("/a\r\nSet-Cookie: x", b"/a%0D%0ASet-Cookie:%20x"),
    ],
)
def test_a_location_is_one_line_of_ascii_whatever_it_is_made_of(url: str, sent: bytes) -> None:
    _, headers, _ = pending_answer(Look(), PENDING, status_url=url, kind="http")
    assert (b"location", sent) in headers


@pytest.mark.parametrize("told", [pending_answer, denied_answer])
def test_kubernetes_gets_a_status_that_kubectl_prints(told: Any) -> None:
    """kubectl prints `Error from server (REASON): MESSAGE`."""
    approval = PENDING if told is pending_answer else EXPIRED
    kind: Kind = "kubernetes"
    status, headers, data = told(Look(), approval, WHY, kind=kind)
    said = json.loads(data)
    assert (status, headers) == (403, [(b"content-type", b"application/json")])
    assert (said["kind"], said["apiVersion"], said["status"]) == ("Status", "v1", "Failure")
    assert (said["reason"], said["code"]) == ("Forbidden", 403)
    assert ID in said["message"]
    assert said["details"]["causes"] == [
        {"reason": f"approval_{approval.state}", "message": ID, "field": "approval"}
    ]
