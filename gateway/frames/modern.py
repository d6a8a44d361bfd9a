"""MCP 2026-07-28: the routing headers of a POST must say what its body says.

Source: Model Context Protocol 2026-07-28, Streamable HTTP, "Standard headers" and "x-mcp-header".
A proxy that routes or decides by a header which the body contradicts can be led astray, so the contradiction
is refused here, before policy: 400 with JSON-RPC error -32020. What upstream can judge as well (an unknown
version, a missing capability) is left to it, and its answer passes.
"""

import base64
import binascii
from typing import Any

import msgspec

from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look

FIRST_MODERN_VERSION = "2026-07-28"
HEADER_MISMATCH = -32020
_ROUTING = (b"mcp-protocol-version", b"mcp-method", b"mcp-name")
_PARAM = b"mcp-param-"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_TASKS = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})  # SEP-2663


def is_modern(version: str) -> bool:
    """Whether a revision (a date) has no sessions: from 2026-07-28 on."""
    return len(version) == 10 and version >= FIRST_MODERN_VERSION


def mismatch(headers: Headers, body: Look, task: str | None = None) -> str:
    """Why the headers contradict the body, '' when they do not. Asked for single requests only.

    `task`: the `taskId` of a request about a task, which `Mcp-Name` mirrors where it is sent; None: not looked for.
    """
    if body.kind != "request":
        return ""
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ROUTING or name.startswith(_PARAM):
            if name in seen:
                return f"{name.decode('latin-1')} header appears more than once"
            seen[name] = value
    if body.meta_version is None:
        return _unsaid_mismatch(seen, body)
    return _version_mismatch(seen, body) or _routing_mismatch(seen, body, task)


def _unsaid_mismatch(seen: dict[bytes, bytes], body: Look) -> str:
    """A body that names no version: upstream says what it lacks, but headers of 2026-07-28 must not tell of another
    request than it is."""
    if not is_modern(seen.get(b"mcp-protocol-version", b"").decode("latin-1")):
        return ""
    if b"mcp-method" in seen and seen[b"mcp-method"].decode("latin-1") != body.method:
        return "mcp-method header does not match the body's method"
    named = body.tool or body.resource
    if named and b"mcp-name" in seen and decoded(seen[b"mcp-name"]) != named:
        return "mcp-name header does not match what the body names"
    return ""


def _version_mismatch(seen: dict[bytes, bytes], body: Look) -> str:
    if seen.get(b"mcp-protocol-version", b"").decode("latin-1") != body.meta_version:
        return "mcp-protocol-version header does not match the body's _meta"
    return ""


def _routing_mismatch(seen: dict[bytes, bytes], body: Look, task: str | None) -> str:
    if not is_modern(body.meta_version or ""):
        return ""
    if seen.get(b"mcp-method", b"").decode("latin-1") != body.method:
        return "mcp-method header does not match the body's method"
    key = _NAMED.get(body.method)
    named = body.tool or body.resource
    if key and named and decoded(seen.get(b"mcp-name")) != named:
        return f"mcp-name header does not match the body's {key!r}"
    if (
        task is not None
        and body.method in _TASKS
        and b"mcp-name" in seen
        and decoded(seen[b"mcp-name"]) != task
    ):
        return "mcp-name header does not match the body's 'taskId'"
    return _param_mismatch({n: v for n, v in seen.items() if n.startswith(_PARAM)}, body)


def _param_mismatch(params: dict[bytes, bytes], body: Look) -> str:
    """An Mcp-Param header must carry a value that is among the arguments; upstream knows which one it mirrors."""
    if not params or body.method != "tools/call":
        return ""
    try:
        values = _scalars(msgspec.json.decode(body.arguments)) if body.arguments else set()
    except msgspec.DecodeError:  # a number that no double holds: nothing can be said to mirror it
        values = set()
    for name, value in params.items():
        if decoded(value) not in values:
            return f"{name.decode('latin-1')} header does not match any argument of the body"
    return ""


def decoded(value: bytes | None) -> str | None:
    """A header value, taken out of its `=?base64?…?=` form; None when absent or not decodable."""
    if value is None:
        return None
    if not (value.startswith(b"=?base64?") and value.endswith(b"?=")):
        return value.decode("latin-1")
    try:
        return base64.b64decode(value[9:-2], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _scalars(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {text for value in node.values() for text in _scalars(value)}
    if isinstance(node, list):
        return {text for value in node for text in _scalars(value)}
    if isinstance(node, bool):
        return {"true" if node else "false"}
    if isinstance(node, float) and node.is_integer():
        return {str(node), str(int(node))}
    return set() if node is None else {str(node)}
