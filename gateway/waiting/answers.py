"""The answer to a held call whose client is not kept waiting any longer, or whose call will not be executed.

    mcp          a tool's result that is an error, which the agent reads; a JSON-RPC error for what is no tool call
    http         202 with `Location` and `Retry-After`; 403 when it will not be executed
    kubernetes   403 with a `Status`, whose message kubectl prints

All in the same form as `gateway.tools.denials`, for the same reasons. Source: RFC 9110, 15.3.3 (202); Kubernetes API
conventions, "Response Status Kind".
"""

from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look, error_body
from gateway.frames.modern import is_modern
from gateway.held import Approval
from gateway.tools.denials import CODE, META_KEY
from gateway.waiting import words
from gateway.waiting.asked import asks_for_task

Kind = Literal["mcp", "http", "kubernetes"]
Told = tuple[int, Headers, bytes]
_IN_URLS = ":/?#[]@!$&'()*+,;=%"
_JSON = (b"content-type", b"application/json")


class _Said(NamedTuple):
    """What is said, to a person and to programs; `for_task`: to who asked for a task, which no tool's result is."""

    text: str
    data: dict[str, Any]
    version: str
    for_task: bool


def pending_answer(
    look: Look,
    approval: Approval,
    reason: str = "",
    *,
    status_url: str = "",
    retry_after: int = 0,
    kind: Kind = "mcp",
    version: str = "",
    body: bytes = b"",
) -> Told:
    """HTTP status, headers and body for who shall come back. `reason`: the rule's words; `status_url`: where the
    approval can be seen; `retry_after`: seconds; `version`: of the protocol, where the body does not say it; `body`:
    of the request, to tell one that asks for a task (which no tool's result can answer)."""
    text = words.pending_text(approval, reason, status_url, retry_after)
    said = _Said(text, words.data(approval, status_url, retry_after), version, asks_for_task(body))
    if kind == "http":
        return 202, [_JSON, *_come_back(status_url, retry_after)], _plain("pending", said)
    return _answer(look, said, kind)


def denied_answer(
    look: Look,
    approval: Approval,
    reason: str = "",
    *,
    status_url: str = "",
    kind: Kind = "mcp",
    version: str = "",
    body: bytes = b"",
) -> Told:
    """HTTP status, headers and body for who waits in vain: denied, expired, revoked, or used before."""
    data = words.data(approval, status_url)
    said = _Said(words.denied_text(approval, reason), data, version, asks_for_task(body))
    if kind == "http":
        return 403, [_JSON], _plain(approval.state, said)
    return _answer(look, said, kind)


def _answer(look: Look, said: _Said, kind: Kind) -> Told:
    if kind == "kubernetes":
        return 403, [_JSON], _status(said)
    if look.kind == "batch":
        each = [_message(member, said) for member in look.members if member.kind == "request"]
        if each:
            return 200, [_JSON], b"[" + b",".join(each) + b"]"
    if look.kind != "request":
        return 403, [_JSON], error_body("", CODE, said.text, **said.data)
    return 200, [_JSON], _message(look, said)


def _message(look: Look, said: _Said) -> bytes:
    if look.method != "tools/call" or said.for_task:
        return error_body(look.id, CODE, said.text, **said.data)
    members: dict[str, Any] = {
        "content": [{"type": "text", "text": said.text}],
        "isError": True,
        "_meta": {META_KEY: said.data},
    }
    return result(look, members, said.version)


def result(look: Look, said: dict[str, Any], version: str, kind: str = "complete") -> bytes:
    """A JSON-RPC response to `look`; from 2026-07-28 on with its `resultType`."""
    if is_modern(look.meta_version or version):
        said = {**said, "resultType": kind}
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (look.id.encode(), msgspec.json.encode(said))


def _come_back(status_url: str, retry_after: int) -> Headers:
    found: Headers = []
    if retry_after > 0:
        found.append((b"retry-after", b"%d" % retry_after))
    if status_url:
        found.append((b"location", quote(status_url, safe=_IN_URLS).encode()))
    return found


def _plain(state: str, said: _Said) -> bytes:
    return msgspec.json.encode({"state": state, "message": said.text, **said.data})


def _status(said: _Said) -> bytes:
    """A `Status` of Kubernetes: clients print its message, and show a cause's reason to programs."""
    data = said.data
    cause = {"reason": data["reason"], "message": data["approval_id"], "field": "approval"}
    details: dict[str, Any] = {"group": "sluicegate", "kind": "approvals", "name": data["approval_id"]}
    return msgspec.json.encode(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": said.text,
            "reason": "Forbidden",
            "details": {**details, "causes": [cause]},
            "code": 403,
        }
    )
