"""Refusals by policy, as the official client takes them in both eras: it can read them and goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import MCPDeprecationWarning, MCPError
from mcp.types import TextContent

from gateway.frames.jsonrpc import Look, look
from gateway.policy.verdict import Verdict
from gateway.tools.denials import denied
from tests.gateway.test_official_client import ERAS
from tests.gateway.tools.front import fronted

ID = "01926f00-0000-7000-8000-000000000001"
DENY = Verdict("deny", "no-deletes", "nothing is deleted on Fridays", "policy_denied")
HOLD = Verdict("hold", "secrets", "secrets are read by two", "policy_held", reviewers=("sre", "ann"))


def answer(body: bytes, verdict: Verdict = DENY, version: str = "") -> Any:
    """What a client reads."""
    status, headers, told = denied(look(body), verdict, ID, body=body, version=version)
    assert (status, headers) == (200, [(b"content-type", b"application/json")])
    return json.loads(told)


def test_a_call_gets_a_result_that_an_agent_can_read() -> None:
    body = b'{"jsonrpc":"2.0","id":"a\\u0062","method":"tools/call","params":{"name":"t"}}'
    assert answer(body) == {
        "jsonrpc": "2.0",
        "id": "ab",
        "result": {
            "content": [
                {
                    "type": "text",
                    "text": "Not executed: refused by policy: nothing is deleted on Fridays (rule no-deletes). "
                    f"Exchange {ID}.",
                }
            ],
            "isError": True,
            "_meta": {
                "sluicegate/refusal": {"reason": "policy_denied", "rule": "no-deletes", "exchange_id": ID}
            },
        },
    }


def test_a_result_of_the_newest_revision_says_that_it_is_complete() -> None:
    body = b'{"id":1,"method":"tools/call","params":{"name":"t"}}'
    assert answer(body, version="2026-07-28")["result"]["resultType"] == "complete"
    meta = body.replace(b'"name"', b'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name"')
    assert answer(meta)["result"]["resultType"] == "complete"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":1,"method":"resources/read","params":{"uri":"file:///x"}}',
        b'{"id":1,"method":"tools/call","params":{"name":"t","task":{"ttl":1}}}',
        b'{"id":1,"method":"tools/call","params":{"name":"t","t\\u0061sk":{"ttl":1}}}',
    ],
)
def test_what_no_tool_result_can_answer_gets_an_error(body: bytes) -> None:
    assert answer(body, HOLD) == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {
            "code": -32089,
            "message": "Not executed: it has to be reviewed by sre, ann first: secrets are read by two "
            f"(rule secrets). Exchange {ID}.",
            "data": {"reason": "policy_held", "rule": "secrets", "exchange_id": ID},
        },
    }


@pytest.mark.parametrize("body", [b'{"method":"notifications/x"}', b'{"id":1,"result":{}}', b"", b"[]"])
def test_what_asks_for_no_answer_gets_403(body: bytes) -> None:
    status, _, told = denied(look(body), DENY, ID, body=body)
    assert status == 403
    assert json.loads(told)["id"] is None


def test_abuse_57_a_batch_gets_an_answer_for_each_request_and_none_is_executed() -> None:
    body = (
        b'[{"id":1,"method":"tools/call","params":{"name":"t"}},{"method":"notifications/x"},'
        b'{"id":"b","method":"ping"}]'
    )
    one, two = answer(body)
    assert (one["id"], one["result"]["isError"]) == (1, True)
    assert (two["id"], two["error"]["code"]) == ("b", -32089)


@pytest.mark.parametrize("era", ERAS)
async def test_the_official_client_reads_a_refused_call_and_goes_on(era: str) -> None:
    async with (
        fronted(lambda asked: DENY if asked.tool == "greet" else None) as front,
        front.client(era) as client,
    ):
        result = await client.call_tool("greet", {})
        assert result.is_error
        (text,) = result.content
        assert isinstance(text, TextContent)
        assert "nothing is deleted on Fridays (rule no-deletes)" in text.text
        assert (await client.call_tool("add", {"a": 1, "b": 2})).structured_content == {"result": 3}


@pytest.mark.parametrize("era", ERAS)
async def test_a_refused_call_of_a_tool_with_an_output_schema_is_no_fault_of_the_client(era: str) -> None:
    async with (
        fronted(lambda asked: HOLD if asked.tool == "add" else None) as front,
        front.client(era) as client,
    ):
        await client.list_tools()
        assert (await client.call_tool("add", {"a": 1, "b": 2})).is_error
        assert len((await client.list_tools()).tools) == 5


@pytest.mark.parametrize("era", ERAS)
async def test_the_official_client_raises_a_refused_request_and_goes_on(era: str) -> None:
    async with (
        fronted(lambda asked: DENY if asked.method.startswith("resources/") else None) as front,
        front.client(era) as client,
    ):
        with pytest.raises(MCPError) as failed:
            await client.read_resource("file:///x")
        assert failed.value.error.code == -32089
        assert failed.value.error.data == {
            "reason": "policy_denied",
            "rule": "no-deletes",
            "exchange_id": ID,
        }
        assert (await client.call_tool("add", {"a": 1, "b": 2})).structured_content == {"result": 3}


async def test_the_official_client_survives_a_refused_notification() -> None:
    def on_progress(asked: Look) -> Verdict | None:
        return DENY if asked.method == "notifications/progress" else None

    async with fronted(on_progress) as front, front.client("2025-11-25") as client:
        with pytest.warns(MCPDeprecationWarning):
            await client.send_progress_notification("t", 0.5)
        assert (await client.call_tool("add", {"a": 1, "b": 2})).structured_content == {"result": 3}
        assert front.refused == ["notifications/progress"]
