"""What a hostile upstream says stands under the rules however clients read it: marks, content types, two faces."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.frames.headers import answer_form
from gateway.frames.sse import EventSplitter
from schemas.kafka import KafkaAddress
from tests.abuse import mcp_upstream as behind
from tests.abuse.mcp_upstream import Answered, client, mcp_upstream
from tests.abuse.test_server_asks import DONE, POLICY, SAMPLING, event
from tests.gateway.conftest import served

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}'
BOM = b"\xef\xbb\xbf"
HIDING = """
default: allow
rules:
  - name: no-veiled
    when: tool.name == 'veiled'
    deny: no such tool
"""
LISTED = '"result":{"tools":[{"name":"veiled","inputSchema":{}},{"name":"bare","inputSchema":{}}]}'


@asynccontextmanager
async def saying(
    kafka: KafkaAddress, folder: Path, content_type: str, body: bytes, rules: str = POLICY
) -> AsyncIterator[behind.Client]:
    """A client behind whose gateway upstream answers so."""

    async def answer(asked: bytes) -> Answered:
        return (200, content_type, body) if b'"method"' in asked else (202, "application/json", b"")

    policy = folder / "policy.yaml"
    policy.write_text(rules, "utf-8")
    async with mcp_upstream(answer) as upstream:
        connection = replace(upstream.connection, policy_file=policy)
        async with served(kafka, connection) as gate, client(gate, kafka.bootstrap) as caller:
            yield caller


@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream; charset=UTF-8"])
@pytest.mark.parametrize("mark", [b"", BOM])
async def test_a_question_behind_a_byte_order_mark_or_another_spelling_of_the_type_is_judged(
    kafka: KafkaAddress, tmp_path: Path, content_type: str, mark: bytes
) -> None:
    stream = mark + event(SAMPLING) + event(DONE)
    async with saying(kafka, tmp_path, content_type, stream) as caller:
        status, said = await caller.post(CALL)
    assert status == 200
    assert b"createMessage" not in said
    assert said.endswith(event(DONE))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; text/event-stream",
        "application/json, text/event-stream",
        "text/event-stream, application/json",
        "text/event-stream; charset=utf-7",
    ],
)
async def test_an_answer_whose_form_clients_disagree_about_is_not_passed_on(
    kafka: KafkaAddress, tmp_path: Path, content_type: str
) -> None:
    async with saying(kafka, tmp_path, content_type, event(SAMPLING) + event(DONE)) as caller:
        status, said = await caller.post(CALL)
        frames = await caller.frames(behind.exchange_of(said), until=2)
    assert status == 502
    assert b"createMessage" not in said
    assert [frame["outcome"] for frame in frames] == ["pending", "upstream_failed"]
    assert frames[-1]["reason_code"] == "upstream_broke"


@pytest.mark.parametrize("face", ["", '"method":"notifications/x",', '"method":"roots/list","params":{},'])
async def test_a_list_of_tools_is_filtered_also_when_its_message_is_a_request_as_well(
    kafka: KafkaAddress, tmp_path: Path, face: str
) -> None:
    body = ('{"jsonrpc":"2.0","id":1,' + face + LISTED + "}").encode()
    asked = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    async with saying(kafka, tmp_path, "application/json", body, HIDING) as caller:
        _, said = await caller.post(asked)
    assert [tool["name"] for tool in json.loads(said)["result"]["tools"]] == ["bare"]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([], "body"),
        ([b"application/json"], "body"),
        ([b"text/plain; charset=latin1"], "body"),
        ([b"text/event-stream;charset=utf8"], "stream"),
        ([b"application/json", b"text/event-stream"], ""),
        ([b"text/event-stream", b"application/json"], ""),
        ([b'text/event-stream; charset="utf-16"'], ""),
    ],
)
def test_the_form_of_an_answer_is_what_every_client_takes_it_for(values: list[bytes], form: str) -> None:
    assert answer_form([(b"content-type", value) for value in values]) == form


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_a_byte_order_mark_is_a_block_of_its_own_however_it_arrives(size: int) -> None:
    stream = BOM + b"data: a\n\n" + BOM + b"data: b\n\n"
    splitter = EventSplitter(1_000)
    blocks = [block for at in range(0, len(stream), size) for block in splitter.feed(stream[at : at + size])]
    assert blocks == [BOM, b"data: a\n\n", BOM + b"data: b\n\n"]
    assert splitter.rest() == b""


async def test_a_stream_that_is_cut_within_a_mark_passes_as_it_is(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    async with saying(kafka, tmp_path, "text/event-stream", BOM[:2]) as caller, asyncio.timeout(20):
        assert await caller.post(CALL) == (200, BOM[:2])
