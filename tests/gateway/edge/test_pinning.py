"""A change of a tool counts at once, is announced, and is found again where it could not be."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from gateway.edge.announce import Announcer
from gateway.edge.background import Background
from gateway.edge.pinning import Pinning
from gateway.tools import ToolBook


class Told:
    """What was announced; `heard` is whether Kafka acknowledges it."""

    def __init__(self) -> None:
        self.heard = True
        self.control_records: list[Any] = []
        self.findings: list[Any] = []

    async def control(self, _key: str, record: Any) -> bool:
        self.control_records.append(record)
        return self.heard

    async def finding(self, record: Any) -> bool:
        self.findings.append(record)
        return self.heard


def listing(description: str) -> bytes:
    tool = {"name": "t", "description": description, "inputSchema": {}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": [tool]}}).encode()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def background() -> Background:
    return Background()


@pytest.fixture
def pinning(told: Told, background: Background) -> Pinning:
    return Pinning(ToolBook("files", {}), cast("Announcer", told), background)


async def test_a_tool_is_pinned_when_first_seen_and_nobody_is_alarmed(
    pinning: Pinning, told: Told, background: Background
) -> None:
    pinning.listed(listing("reads"), event=False)
    pinning.listed(listing("reads"), event=False)
    await background.stop(5)
    assert len(told.control_records) == 1
    assert told.findings == []
    assert pinning.book.lookup("t").state == "pinned"


async def test_a_change_counts_at_once_and_raises_a_finding(
    pinning: Pinning, told: Told, background: Background
) -> None:
    pinning.listed(listing("reads"), event=False)
    pinning.listed(b"data: " + listing("deletes") + b"\n\n", event=True)
    assert pinning.book.lookup("t").state == "changed"
    await background.stop(5)
    assert len(told.control_records) == 2
    assert len(told.findings) == 1


async def test_what_kafka_did_not_take_is_found_and_announced_again(
    pinning: Pinning, told: Told, background: Background
) -> None:
    told.heard = False
    pinning.listed(listing("reads"), event=False)
    await background.stop(5)
    assert pinning.book.lookup("t").state == "unknown"
    told.heard = True
    pinning.listed(listing("reads"), event=False)
    await background.stop(5)
    assert pinning.book.lookup("t").state == "pinned"
    assert len(told.control_records) == 2
