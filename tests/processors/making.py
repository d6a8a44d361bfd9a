"""Frames as the gateway would have recorded them, for the processors' tests."""

from hashlib import sha256

from schemas.frames import FrameHeader, seal_frame

SESSION = "0190a8c0-0000-7000-8000-0000000000aa"
BODY = (
    b'{"jsonrpc":"2.0","id":3,"method":"tools/call",'
    b'"params":{"name":"get_pods","arguments":{"namespace":"default"}}}'
)


def header(number: int, **over: object) -> FrameHeader:
    """The chained fields of frame `number`; `over` replaces some."""
    fields: dict[str, object] = {
        "frame_id": f"0190a8c0-0000-7000-8000-{number:012x}",
        "exchange_id": f"0190a8c0-0000-7000-9000-{number:012x}",
        "session_id": SESSION,
        "lane": "gateway/1/0/0",
        "lane_seq": number + 1,
        "prev_digest": bytes(32),
        "part": 1,
        "parts": 1,
        "recorded_at": 1_790_000_000_000_000 + number,
        "elapsed_us": number,
        "direction": "request",
        "protocol": "mcp",
        "connection": "demo",
        "principal_groups": [],
        "http_method": "POST",
        "http_path": "/mcp/demo",
        "http_status": 0,
        "content_type": "application/json",
        "jsonrpc_type": "request",
        "method": "tools/call",
        "tool": "get_pods",
        "verdict": "allow",
        "jsonrpc_error": None,
        "tool_is_error": None,
        "outcome": "pending",
        "redactions": [],
        "body_bytes": len(BODY),
        "body_commitment": b"",
    }
    texts = FrameHeader.__annotations__.keys() - fields.keys()
    return {**dict.fromkeys(texts, ""), **fields, **over}  # type: ignore[typeddict-item, return-value]


def frame_value(number: int, body: bytes = BODY, **over: object) -> bytes:
    """A value for topic `frames`; the same number gives the same bytes."""
    value, _ = seal_frame(header(number, **over), body, sha256(b"%d" % number).digest()[:16])
    return value
