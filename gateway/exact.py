"""The exact call that people are asked about: what it is bound to, and what of it they are shown."""

import json
from hashlib import sha256
from typing import Any, cast

import msgspec

from gateway.frames.headers import first
from gateway.held import HeldCall
from gateway.law import Case
from gateway.policy.facts import Call
from gateway.policy.verdict import Verdict
from gateway.waiting import asked_for, opened_state
from schemas.calls import ExactCall, argument_digest

SHOWN_BYTES_MAX = 256 * 1024
STREAMED = frozenset({"exec", "attach", "portforward"})
_BESIDE = frozenset({"_meta", "name", "task"})
_OURS = frozenset({"requestState", "inputResponses"})


def held_call(case: Case, call: Call, verdict: Verdict, version: str) -> HeldCall | None:
    """The call for those who may approve it; None where nobody can: no reviewers, or nothing that can wait.

    `case.request.body` is what upstream would get. Raises ValueError for arguments that have no digest.
    """
    if verdict.hold is None or (call.connection.kind == "mcp" and case.look.kind != "request"):
        return None
    decoded = _decoded(case) if call.connection.kind == "mcp" else None
    reason, break_glass = asked_for(case.request, decoded)
    principal = case.principal
    exact = _exact(case, call, decoded)
    return HeldCall(
        exchange_id=case.exchange_id,
        session_id=case.session_id,
        principal=principal,
        connection=exact["connection"],
        method=exact["method"],
        tool=exact["tool"],
        verb=exact["verb"],
        object=exact["object"],
        shown=b"",
        digest=argument_digest(exact),
        policy_version=version,
        rule=verdict.rule,
        reason=verdict.reason,
        hold=verdict.hold,
        asked_for=reason or principal.purpose,
        break_glass=break_glass and verdict.hold.break_glass is not None,
        facts=call,
    )


def _exact(case: Case, call: Call, decoded: Any) -> ExactCall:
    principal = case.principal
    who = {
        "principal_issuer": principal.issuer,
        "principal_subject": principal.subject,
        "connection": call.connection.name,
    }
    if call.connection.kind == "mcp":
        arguments = arguments_of(decoded, returned=opened_state(case.request.body) is not None)
        what = {"method": call.mcp.method, "tool": call.tool.name, "object": call.mcp.resource}
    else:
        request = case.request
        arguments = {
            "query": request.query,
            "content_type": first(request.headers, b"content-type").decode("latin-1"),
            "body": sha256(request.body).hexdigest(),
        }
        what = {"method": request.method, "tool": "", "object": request.target}
    if case.kubernetes is not None:
        kube = case.kubernetes
        verb = kube.verb
        if kube.info.subresource in STREAMED:  # by GET or POST it is one call, and nobody would call it `get`
            what["method"], verb = "", kube.info.subresource
        arguments |= {"path": kube.info.path, "impersonate": kube.facts.get("impersonate", {})}
        return cast("ExactCall", {**who, **what, "verb": verb, "object": kube.object, "arguments": arguments})
    return cast("ExactCall", {**who, **what, "verb": "", "arguments": arguments})


def shown_of_http(masked_query: str, masked_body: bytes) -> bytes:
    """What people are shown of a request to an HTTP API."""
    return _bounded({"query": masked_query, "body": masked_body.decode("utf-8", "replace")})


def arguments_of(message: Any, *, returned: bool = False) -> Any:
    """What a JSON-RPC request asks with: its params but for the tool's name and what a repeat has otherwise.

    `returned`: the client comes back with state of ours, which upstream does not get. Anybody else's state and the
    answers to its questions are part of the call: upstream gets them.
    """
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict):
        return {}
    left_out = _BESIDE | _OURS if returned else _BESIDE
    return {name: value for name, value in params.items() if name not in left_out}


def shown(masked_body: bytes) -> bytes:
    """The arguments out of the masked request, as JSON; of very large ones only how large they are."""
    try:
        returned = opened_state(masked_body) is not None
        arguments = arguments_of(msgspec.json.decode(masked_body), returned=returned)
    except (msgspec.DecodeError, RecursionError):
        return json.dumps({"not shown": "the masked request is no JSON"}).encode()
    if set(arguments) <= {"arguments"}:
        arguments = arguments.get("arguments", {})
    return _bounded(arguments)


def _bounded(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    if len(text) <= SHOWN_BYTES_MAX:
        return text
    return json.dumps({"not shown": f"{len(text)} bytes; the trail has them all"}).encode()


def _decoded(case: Case) -> Any:
    return msgspec.json.decode(case.request.body) if case.decoded is None else case.decoded
