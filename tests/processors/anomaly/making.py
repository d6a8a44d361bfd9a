"""Exchanges as they stand in topic `audit`, and observations, for the anomaly tests."""

import json
from typing import Any
from uuid import UUID

from processors.anomaly.frames import open_audited
from processors.anomaly.observation import Observation
from schemas.frames import FrameAudited, audit_value, open_frame
from tests.processors.making import frame_value

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def frame_id(number: int) -> str:
    """Id of the frame with this number, as `frame_value` gives it."""
    return str(UUID(f"0190a8c0-0000-7000-8000-{number:012x}"))


def exchange_id(number: int) -> str:
    """Id of exchange `number`."""
    return f"0190a8c0-0000-7000-9000-{number:012x}"


def call(tool: str, arguments: dict[str, Any]) -> bytes:
    """The body of a tools/call."""
    said = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    return json.dumps(said).encode()


def answer(text: str = "fine", is_error: bool = False) -> bytes:
    """The body of a tool's result."""
    result = {"content": [{"type": "text", "text": text}], "isError": is_error}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


def value(number: int, body: bytes, *, partition: int = 0, offset: int | None = None, **over: Any) -> bytes:
    """A value of topic `audit`: frame `number`, which stood at this place of `frames` (its number, if not given)."""
    fields = {"body_bytes": len(body), **over}
    opened = open_frame(frame_value(number, body, **fields))
    return audit_value(opened, partition=partition, offset=number if offset is None else offset)


def frame(number: int, body: bytes, **over: Any) -> FrameAudited:
    """The record of such a value."""
    return open_audited(value(number, body, **over))


def request_fields(number: int, tool: str, **over: Any) -> dict[str, Any]:
    """What the frames of an exchange share."""
    shared = {
        "exchange_id": exchange_id(number),
        "tool": tool,
        "principal_issuer": "https://idp",
        "principal_subject": "ann",
        "connection": "prod",
        "peer": "10.0.0.7:51544",
        "user_agent": "claude-code/2.0",
        "recorded_at": START_US + number * SECOND_US,
    }
    return {**shared, **over}


def response_fields(**over: Any) -> dict[str, Any]:
    """What an answer has beside them."""
    facts = {"direction": "response", "jsonrpc_type": "response", "http_status": 200, "tool_is_error": False}
    return {**facts, "outcome": "completed", **over}


def exchange(
    number: int, tool: str, arguments: dict[str, Any], *, partition: int = 0, **over: Any
) -> tuple[bytes, bytes]:
    """The values of a request and its answer, frames 2 × number and the next one."""
    shared = request_fields(number, tool, **over)
    asked = value(2 * number, call(tool, arguments), partition=partition, **shared)
    told = value(2 * number + 1, answer(), partition=partition, **{**shared, **response_fields()})
    return asked, told


def seen(number: int, **over: Any) -> Observation:
    """An observation, `number` seconds after the start."""
    fields = {"at": START_US + number * SECOND_US, "principal": "|ann", "frame_id": frame_id(number), **over}
    return Observation(**fields)
