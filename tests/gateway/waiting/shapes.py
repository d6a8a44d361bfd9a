"""What the tests of this folder make: principals, approvals, held calls and requests."""

from __future__ import annotations

import json
from typing import Any

from gateway.effects import Request
from gateway.frames.headers import Headers
from gateway.held import Approval, HeldCall
from gateway.policy.verdict import Asked, Hold
from gateway.sessions import Principal

ID = "01926f00-0000-7000-8000-00000000000a"
ANN = Principal("https://idp", "ann", "c1")
BOB = Principal("https://idp", "bob", "c2")
KEY = b"k" * 32
BOTH: Headers = [(b"accept", b"application/json, text/event-stream")]
MODERN, CLASSIC = "2026-07-28", "2025-11-25"
PENDING = Approval(ID, "pending")
APPROVED = Approval(ID, "approved", approvers=("https://idp|sue",))
DENIED = Approval(ID, "denied", approvers=("https://idp|sue",), comment="not today")
EXPIRED, REVOKED, USED = Approval(ID, "expired"), Approval(ID, "revoked"), Approval(ID, "used")


def body(method: str = "tools/call", *, meta: dict[str, Any] | None = None, **params: Any) -> bytes:
    """A request."""
    if method == "tools/call":
        params = {"name": "wipe", "arguments": {"disk": 1}, **params}
    if meta is not None:
        params["_meta"] = meta
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()


def modern_meta(**capabilities: Any) -> dict[str, Any]:
    """The `_meta` of a request of 2026-07-28."""
    return {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }


def request(data: bytes, headers: Headers | None = None, method: str = "POST") -> Request:
    """An HTTP request that carries it."""
    return Request(method, "/c", "", BOTH if headers is None else headers, data, "127.0.0.1", "t/1")


def held(principal: Principal = ANN, connection: str = "disks") -> HeldCall:
    """A call that waits."""
    return HeldCall(
        exchange_id="e1",
        session_id="s1",
        principal=principal,
        connection=connection,
        method="tools/call",
        tool="wipe",
        verb="",
        object="",
        shown=b"{}",
        digest="d" * 64,
        policy_version="p1",
        rule="wipes",
        reason="disks are wiped by two",
        hold=Hold((Asked(("security",)),)),
    )
