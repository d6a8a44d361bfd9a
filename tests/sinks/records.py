"""Frames as the processors put them on `audit`, made to order."""

from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID, uuid4

from schemas.frames import FrameHeader, audit_value, open_frame, seal_frame
from sinks.settings import SinkTopics

APPROVALS = ("requested", "decided", "settled")
START_US = 1_790_000_000_000_000

_DEFAULTS: dict[str, Any] = {
    "prev_digest": bytes(32),
    "part": 1,
    "parts": 1,
    "elapsed_us": 0,
    "direction": "request",
    "protocol": "mcp",
    "connection": "demo",
    "principal_issuer": "",
    "principal_subject": "anonymous",
    "principal_groups": ["sre"],
    "client_id": "",
    "peer": "127.0.0.1:4444",
    "user_agent": "python-mcp/2",
    "http_method": "POST",
    "http_path": "/mcp/demo",
    "http_status": 0,
    "http_headers": "content-type: application/json\r\n",
    "content_type": "application/json",
    "mcp_protocol_version": "2025-11-25",
    "mcp_session_id": "",
    "jsonrpc_type": "request",
    "jsonrpc_id": "1",
    "method": "tools/call",
    "tool": "get_pod",
    "resource": "",
    "sse_event_id": "",
    "verdict": "allow",
    "rule": "",
    "policy_version": "p1",
    "reason": "",
    "reason_code": "",
    "jsonrpc_error": None,
    "tool_is_error": None,
    "outcome": "pending",
    "redactions": [],
    "body_commitment": b"",
}


def sink_topics(prefix: str) -> SinkTopics:
    """The topics of one test."""
    named = {each.name: f"{prefix}-{each.name.removesuffix('_letters')}" for each in fields(SinkTopics)}
    return SinkTopics(**named)


def identifier(number: int) -> str:
    """A well-formed id that tells its number."""
    return str(UUID(int=number))


@dataclass
class Trail:
    """Values for topic `audit`, in writing order, of one lane."""

    lane: str = "gw/boot/0/0"
    partition: int = 0
    seq: int = 0
    offset: int = 0
    started_us: int = START_US
    values: list[bytes] = field(default_factory=list)

    def frame(self, body: bytes = b"{}", **fields: Any) -> bytes:
        """One more frame; `fields` override the defaults."""
        self.seq += 1
        header: dict[str, Any] = {
            **_DEFAULTS,
            "frame_id": str(uuid4()),
            "exchange_id": str(uuid4()),
            "session_id": identifier(1),
            "lane": self.lane,
            "lane_seq": self.seq,
            "recorded_at": self.started_us + self.seq * 1000,
            "body_bytes": len(body),
            **fields,
        }
        value = self.audited(header, body)
        self.values.append(value)
        return value

    def audited(self, header: dict[str, Any], body: bytes) -> bytes:
        """The value of a frame with exactly this header."""
        chained: FrameHeader = header  # type: ignore[assignment]  # a test may leave out what it wants refused
        opened = open_frame(seal_frame(chained, body, bytes(16))[0])
        value = audit_value(opened, partition=self.partition, offset=self.offset)
        self.offset += 1
        return value

    def exchange(self, answer: bytes = b'{"result":{}}', **fields: Any) -> str:
        """A request and its answer; gives the exchange's id."""
        shared = {"exchange_id": str(uuid4()), **fields}
        self.frame(b'{"method":"tools/call"}', **shared)
        answered = {"http_status": 200, "jsonrpc_type": "response", "outcome": "completed", **shared}
        self.frame(answer, direction="response", elapsed_us=1500, **answered)
        return str(shared["exchange_id"])
