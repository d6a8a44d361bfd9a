"""What a request says beside its call: its `params`, looked at where they lie."""

from typing import Any

import msgspec

from gateway.frames.jsonrpc import look

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TASKS_EXTENSION = "io.modelcontextprotocol/tasks"


class _Body(msgspec.Struct):
    params: dict[str, msgspec.Raw] = {}


_body = msgspec.json.Decoder(_Body)


def params_of(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of a single message's `params`, not decoded; none in what is no such message."""
    try:
        return _body.decode(body).params
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def meta_of(body: bytes) -> dict[str, Any]:
    """The `_meta` of a request; {} without one."""
    meta = decoded(params_of(body).get("_meta"))
    return meta if isinstance(meta, dict) else {}


def text_in(params: dict[str, msgspec.Raw], key: str) -> str | None:
    """The string behind `key`; None when there is none."""
    value = decoded(params.get(key))
    return value if isinstance(value, str) else None


def decoded(raw: msgspec.Raw | None) -> Any:
    """A member's value; None for what is not there or cannot be read."""
    try:
        return None if raw is None else msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def declared(body: bytes, *path: str) -> bool:
    """Whether the capabilities that a request of 2026-07-28 declares hold an object at `path`."""
    found: Any = meta_of(body).get(CAPABILITIES)
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return isinstance(found, dict)


def asks_for_task(body: bytes) -> bool:
    """Whether a call of 2025-11-25 asks to be run as a task."""
    return b'"task"' in body and isinstance(decoded(params_of(body).get("task")), dict)


def cancelled_id(body: bytes) -> str:
    """Which request a `notifications/cancelled` takes back, as `Look.id` has it; '' for any other message.

    Up to 2025-11-25 this is how a client leaves: its stream may stay open for as long as we keep it.
    """
    asked = look(body)
    raw = bytes(params_of(body).get("requestId", b"")) if asked.method == "notifications/cancelled" else b""
    return look(b'{"method":"x","id":%b}' % raw).id if raw else ""
