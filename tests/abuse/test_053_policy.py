"""ABUSE 53, 56, 57: policy decides by what upstream will read, of every member of a batch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.kafka import KafkaAddress
from tests.abuse.mcp_upstream import MODERN, Answered, Client, McpUpstream, client, mcp_upstream, modern
from tests.gateway.conftest import served

POLICY = """
default: deny
rules:
  - name: list
    when: mcp.method == 'tools/list' || mcp.method == 'ping'
    allow: true
  - name: no-deletes
    when: mcp.method == 'tools/call' && tool.name == 'pods_delete'
    deny: nothing is deleted
  - name: reading
    when: mcp.method == 'tools/call' && tool.name in ['pods_list', 'pods_log']
    allow: true
"""


async def fine(body: bytes) -> Answered:
    """An upstream that is content with everything."""
    return 200, "application/json", b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'


@pytest.fixture
async def upstream() -> AsyncIterator[McpUpstream]:
    """Behind the gateway."""
    async with mcp_upstream(fine) as made:
        yield made


@pytest.fixture
async def caller(kafka: KafkaAddress, upstream: McpUpstream, tmp_path: Path) -> AsyncIterator[Client]:
    """Before a gateway with a policy."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    connection = replace(upstream.connection, policy_file=policy)
    async with served(kafka, connection) as gate, client(gate, kafka.bootstrap) as made:
        yield made


def call(name: str, more: str = "") -> bytes:
    """A call of a tool; `name` is a JSON literal."""
    return f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{name}{more}}}}}'.encode()


async def denied(caller: Client, upstream: McpUpstream, body: bytes, rule: str, **headers: str) -> None:
    """It must be refused as an agent can read it, stand in the trail with its rule, and never reach upstream."""
    status, told = await caller.post(body, **headers)
    assert status == 200
    result = json.loads(told)["result"]
    assert result["isError"]
    about = result["_meta"]["sluicegate/refusal"]
    (frame,) = await caller.frames(about["exchange_id"], 1)
    assert (frame["verdict"], frame["rule"], frame["outcome"]) == ("deny", rule, "refused")
    assert (about["rule"], about["reason"]) == (rule, frame["reason_code"])
    assert upstream.bodies == []


@pytest.mark.parametrize(
    "headers",
    [
        {"mcp_method": "tools/list"},
        {"mcp_name": "pods_list"},
        {"mcp_method": "tools/list", "mcp_name": "pods_list", "mcp_protocol_version": "2025-11-25"},
    ],
)
async def test_abuse_53_no_header_changes_what_policy_decides(
    caller: Client, upstream: McpUpstream, headers: dict[str, str]
) -> None:
    await denied(caller, upstream, call('"pods_delete"'), "no-deletes", **headers)


async def test_abuse_53_headers_that_are_true_do_not_help_either(
    caller: Client, upstream: McpUpstream
) -> None:
    heads = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call", "mcp_name": "pods_delete"}
    await denied(caller, upstream, modern(name="pods_delete"), "no-deletes", **heads)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ('"pods_delete"', "no-deletes"),
        ('"pods\\u005fdelete"', "no-deletes"),
        ('"\\u0070\\u006f\\u0064\\u0073\\u005f\\u0064\\u0065\\u006c\\u0065\\u0074\\u0065"', "no-deletes"),
        ('"pоds_list"', "default"),  # a Cyrillic o
        ('"pods_list\\u200b"', "default"),
        ('"ｐods_list"', "default"),
        ('"pods_list "', "default"),
        ('"PODS_LIST"', "default"),
        ('"pods_list\\u0000"', "default"),
    ],
)
async def test_abuse_56_policy_sees_the_decoded_name_and_a_look_alike_is_another_tool(
    caller: Client, upstream: McpUpstream, name: str, rule: str
) -> None:
    await denied(caller, upstream, call(name), rule)


async def test_abuse_56_an_escaped_name_of_an_allowed_tool_is_allowed_and_passes_as_it_is(
    caller: Client, upstream: McpUpstream
) -> None:
    body = call('"pods\\u005flist"')
    status, told = await caller.post(body)
    assert (status, "isError" in json.loads(told)["result"]) == (200, False)
    assert upstream.bodies == [body]


def batch(*names: str) -> bytes:
    """Calls of tools in one body, with a notification among them."""
    template = '{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s"}}'
    calls = [template % (number, name) for number, name in enumerate(names)]
    return ("[" + ",".join([*calls, '{"jsonrpc":"2.0","method":"ping"}']) + "]").encode()


@pytest.mark.parametrize("names", [("pods_list", "pods_delete"), ("pods_delete", "pods_list"), ("other",)])
async def test_abuse_57_one_member_that_is_denied_refuses_all_of_a_batch(
    caller: Client, upstream: McpUpstream, names: tuple[str, ...]
) -> None:
    status, told = await caller.post(batch(*names))
    assert status == 200
    answers = json.loads(told)
    assert [(each["id"], each["result"]["isError"]) for each in answers] == [
        (number, True) for number in range(len(names))
    ]
    (exchange,) = {each["result"]["_meta"]["sluicegate/refusal"]["exchange_id"] for each in answers}
    (frame,) = await caller.frames(exchange, 1)
    assert (frame["verdict"], frame["outcome"], frame["jsonrpc_type"]) == ("deny", "refused", "batch")
    assert frame["tool"] == ",".join(names)
    assert upstream.bodies == []


async def test_abuse_57_a_batch_whose_members_are_all_allowed_passes_whole(
    caller: Client, upstream: McpUpstream
) -> None:
    body = batch("pods_list", "pods_log")
    assert (await caller.post(body))[0] == 200
    assert upstream.bodies == [body]
    rows = await caller.last(tool="pods_list,pods_log", verdict="allow", direction="request")
    assert {row["jsonrpc_type"] for row in rows} == {"batch"}
