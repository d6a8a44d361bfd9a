"""What upstream says may hold texts that no record can: half a surrogate pair, or more than Kafka takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.kafka import KafkaAddress
from tests.abuse.test_review_answers import saying

LIST = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}'
HIDING = """
default: deny
rules:
  - name: list
    when: mcp.method == 'tools/list' || (mcp.method == 'tools/call' && tool.name == 't')
    allow: true
"""


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"name": "\ud800", "description": "\udfff", "inputSchema": {}}]},
        {
            "tools": [
                {
                    "name": "halved",
                    "description": "\ud800",
                    "inputSchema": {"\ud800": 1},
                    "annotations": {"\ud800": "\ud800"},
                }
            ]
        },
        {"taskId": "\ud800", "requestState": "\ud800"},
        {"inputRequests": {"\ud800": {"method": "\ud800", "params": {}}}},
    ],
)
async def test_in_what_upstream_says(kafka: KafkaAddress, tmp_path: Path, body: dict[str, object]) -> None:
    said = json.dumps({"jsonrpc": "2.0", "id": 1, "result": body}).encode()
    async with saying(kafka, tmp_path, "application/json", said, HIDING) as caller:
        status, _ = await caller.post(LIST)
        rows = await caller.last(direction="response", connection="demo", body_bytes=len(said))
        again, _ = await caller.post(CALL)
    assert (status, again) == (200, 200)
    assert max(rows, key=lambda row: row["recorded_at"])["outcome"] == "completed"


async def test_a_list_of_hidden_tools_as_long_as_can_be_does_not_stop_the_trail(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    tools = [{"name": f"{number}-{'x' * 1_000}", "inputSchema": {}} for number in range(4_000)]
    said = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}}).encode()
    async with saying(kafka, tmp_path, "application/json", said, HIDING) as caller:
        status, shown = await caller.post(LIST)
        again, _ = await caller.post(CALL)
    assert (status, again) == (200, 200)
    assert json.loads(shown)["result"]["tools"] == []
