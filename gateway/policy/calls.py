"""Requests as the calls that policy judges: the gateway and `policy replay` both read them here, and nowhere else.

What is judged must be what upstream will read. A body that two readers could take for different requests (no strict
JSON, a member whose name is another spelling of the protocol's, a tool call without a tool) gives no call
but UnreadableError, and is to be refused. Duplicate keys are refused before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from gateway.frames.strict_json import fold
from gateway.policy.facts import (
    NOTHING,
    Call,
    ConnectionFacts,
    HttpFacts,
    McpFacts,
    PrincipalFacts,
    SessionFacts,
    ToolFacts,
)

ToolState = Literal["unknown", "pinned", "changed"]
ToolLookup = Callable[[str], tuple[Mapping[str, Any], ToolState]]
"""What the gateway knows of a tool: its annotations, and how its listing stands to what was pinned."""

_ENVELOPE: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_PARAMS: Final = frozenset(
    {"name", "arguments", "uri", "ref", "taskId", "_meta", "task", "requestState", "inputResponses"}
)
_TASK_METHODS: Final = "tasks/"


class UnreadableError(ValueError):
    """No call can be read from the request without doubt; it is to be refused. The text shows nothing of it."""


def unknown_tool(_name: str) -> tuple[Mapping[str, Any], ToolState]:
    """The lookup where nothing was ever listed."""
    return NOTHING, "unknown"


@dataclass(slots=True)
class Around:
    """What is the same for all calls of one request. `now` is Unix seconds."""

    principal: PrincipalFacts = field(default_factory=PrincipalFacts)
    connection: ConnectionFacts = field(default_factory=ConnectionFacts)
    http: HttpFacts = field(default_factory=HttpFacts)
    session: SessionFacts = field(default_factory=SessionFacts)
    protocol_version: str = ""
    mcp_session_id: str = ""
    now: float = 0.0
    tools: ToolLookup = unknown_tool


def calls_of(
    body: bytes, around: Around, sender: Literal["client", "server"] = "client", decoded: Any = None
) -> list[Call]:
    """The calls of one request body, one for each member of a batch; answers among them are no calls.

    Without a body (GET, DELETE) it is one call without an MCP method. `decoded` is the body's value where that is
    known already. Raises UnreadableError.
    """
    if not body:
        return [_call(McpFacts(sender=sender), ToolFacts(), around)]
    try:
        message = msgspec.json.decode(body) if decoded is None else decoded
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableError("the body is not JSON that all readers take alike") from None
    if not isinstance(message, list):
        return _member(message, around, sender, batch=False)
    if not message:
        raise UnreadableError("the batch is empty")
    return [call for each in message for call in _member(each, around, sender, batch=True)]


def _member(message: Any, around: Around, sender: Literal["client", "server"], batch: bool) -> list[Call]:
    if not isinstance(message, dict):
        raise UnreadableError("a JSON-RPC message must be an object")
    _refuse_twins(message, _ENVELOPE)
    if "method" not in message:
        if "result" in message or "error" in message:
            return []
        raise UnreadableError("a JSON-RPC message needs a method, a result or an error")
    params = message.get("params")
    if params is None:
        params = {}
    if not isinstance(message["method"], str) or not isinstance(params, dict):
        raise UnreadableError("method must be text, and params an object")
    _refuse_twins(params, _PARAMS)
    method = message["method"]
    mcp = McpFacts(
        method=method,
        sender=sender,
        protocol_version=around.protocol_version,
        session_id=around.mcp_session_id,
        resource="" if method == "tools/call" else _resource(params),
        task=_text(params, "taskId") if method.startswith(_TASK_METHODS) else "",
        notification="id" not in message,
        batch=batch,
    )
    return [_call(mcp, _tool(params, around.tools) if method == "tools/call" else ToolFacts(), around)]


def _call(mcp: McpFacts, tool: ToolFacts, around: Around) -> Call:
    return Call(
        principal=around.principal,
        connection=around.connection,
        mcp=mcp,
        tool=tool,
        http=around.http,
        session=around.session,
        now=around.now,
    )


def _tool(params: dict[str, Any], lookup: ToolLookup) -> ToolFacts:
    name = params.get("name")
    arguments = params.get("arguments")
    if not isinstance(name, str) or not name:
        raise UnreadableError("tools/call needs the tool's name, as text")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise UnreadableError("the arguments of a tool must be an object")
    annotations, state = lookup(name)
    return ToolFacts(name, arguments, annotations, state)


def _resource(params: dict[str, Any]) -> str:
    """URI of a resource or name of a prompt, also where completion refers to one."""
    ref = params.get("ref")
    named = ref if isinstance(ref, dict) and "uri" not in params and "name" not in params else params
    return _text(named, "uri") or _text(named, "name")


def _text(params: dict[str, Any], key: str) -> str:
    value = params.get(key, "")
    if not isinstance(value, str):
        raise UnreadableError(f"{key} must be text")
    return value


def _folded(names: frozenset[str]) -> dict[str, str]:
    return {fold(name): name for name in names}


_FOLDED: Final = {_ENVELOPE: _folded(_ENVELOPE), _PARAMS: _folded(_PARAMS)}


def _refuse_twins(members: dict[str, Any], known: frozenset[str]) -> None:
    """Some upstreams take `Method` for `method` (Go's), or `task_id` for `taskId` (those of the official Python SDK):
    policy must not see another request than they do."""
    for name in members:
        if name not in known and fold(name) in _FOLDED[known]:
            raise UnreadableError("a member's name is another spelling of the protocol's")
