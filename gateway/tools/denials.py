"""How a client is told that policy refused its request: in the form that it can go on with.

A `tools/call` gets a result that is an error, which the agent reads; another request gets a JSON-RPC error, which its
caller gets; both with HTTP 200, since clients take other statuses as faults of the transport. What asks for no answer
gets 403. Source: Model Context Protocol, "Tools: Error Handling", "Streamable HTTP: Sending Messages to the Server".
"""

from typing import Any

import msgspec

from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look, error_body
from gateway.frames.modern import is_modern
from gateway.policy.verdict import Verdict
from gateway.tools import spans

CODE = -32089
META_KEY = "sluicegate/refusal"  # in a tool result's _meta: reason, rule and exchange id, for programs
_JSON: Headers = [(b"content-type", b"application/json")]


def denied(
    look: Look, verdict: Verdict, exchange_id: str, *, body: bytes = b"", version: str = ""
) -> tuple[int, Headers, bytes]:
    """HTTP status, headers and body that answer the request `look` is of. Nothing of it went upstream.

    `body`: its bytes, to tell a call that waits for a task (which no tool result can answer); `version`: of the
    protocol, where the body does not say it itself.
    """
    if look.kind == "batch":
        answers = [
            _answer(member, verdict, exchange_id, b"", version)
            for member in look.members
            if member.kind == "request"
        ]
        if answers:
            return 200, list(_JSON), b"[" + b",".join(answers) + b"]"
    if look.kind != "request":
        return 403, list(_JSON), _error(look, verdict, exchange_id)
    return 200, list(_JSON), _answer(look, verdict, exchange_id, body, version)


def told(verdict: Verdict, exchange_id: str) -> str:
    """The sentence for whoever reads it: a person or a model."""
    rule = f" (rule {verdict.rule})" if verdict.rule else ""
    reason = f": {verdict.reason}" if verdict.reason else ""
    if verdict.action == "hold":
        by = f" by {', '.join(verdict.reviewers)}" if verdict.reviewers else ""
        return f"Not executed: it has to be reviewed{by} first{reason}{rule}. Exchange {exchange_id}."
    return f"Not executed: refused by policy{reason}{rule}. Exchange {exchange_id}."


def _answer(look: Look, verdict: Verdict, exchange_id: str, body: bytes, version: str) -> bytes:
    if look.method != "tools/call" or _waits_for_task(body):
        return _error(look, verdict, exchange_id)
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": told(verdict, exchange_id)}],
        "isError": True,
        "_meta": {META_KEY: _data(verdict, exchange_id)},
    }
    if is_modern(look.meta_version or version):
        result["resultType"] = "complete"
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (look.id.encode(), msgspec.json.encode(result))


def _error(look: Look, verdict: Verdict, exchange_id: str) -> bytes:
    request_id = look.id if look.kind == "request" else ""
    return error_body(request_id, CODE, told(verdict, exchange_id), **_data(verdict, exchange_id))


def _data(verdict: Verdict, exchange_id: str) -> dict[str, str]:
    return {"reason": verdict.reason_code, "rule": verdict.rule, "exchange_id": exchange_id}


def _waits_for_task(body: bytes) -> bool:
    """Whether a tools/call of 2025-11-25 asks to be run as a task: its answer must be a task or an error."""
    if not spans.may_have(body, b'"task"'):
        return False
    try:
        return any(spans.at_path(body, m, "params", "task") for m in spans.messages(body))
    except spans.UnreadableError:
        return False
