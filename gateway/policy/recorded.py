"""Recorded requests as the calls that they were: what `policy replay` and `policy explain` judge.

The record holds the masked copy of a body, and of a tool only what its server said in a listing: a rule that looks
at a secret's own text, or counts what a session did before, can judge a recorded call otherwise than the live one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway import kubernetes
from gateway.effects import Request
from gateway.kubernetes.bodies import JSON, media_type
from gateway.kubernetes.protobuf import MEDIA_TYPE as PROTOBUF
from gateway.policy.calls import Around, ToolState, UnreadableError, calls_of
from gateway.policy.facts import NOTHING, Call, ConnectionFacts, HttpFacts, PrincipalFacts, SessionFacts

Annotations = Mapping[str, Mapping[str, Any]]
"""The annotations of tools as last listed, by tool."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request frame. `path` has the query; `tool_states` names what tools were in when not pinned; `headers` are
    lines, `body_bytes` what the body had before it was masked."""

    body: bytes
    body_bytes: int = 0
    headers: str = ""
    kind: str = ""  # of the connection then; '' is the kind that it has now
    cluster: str = ""
    method: str = "POST"
    path: str = ""
    peer: str = ""
    user_agent: str = ""
    principal: PrincipalFacts = field(default_factory=PrincipalFacts)
    session_id: str = ""
    secrets: int = 0
    protocol_version: str = ""
    mcp_session_id: str = ""
    tool_states: str = ""
    operation: str = ""
    recorded_at: float = 0.0  # Unix seconds


def calls_from_recorded(
    request: Recorded,
    connection: ConnectionFacts,
    annotations: Annotations,
    calls: int = 0,
    denied: int = 0,
) -> list[Call]:
    """The calls of a recorded request; `calls` and `denied`: of its session before it. Raises UnreadableError."""
    if request.kind:
        connection = replace(connection, kind=request.kind)
    whole, _, query = request.path.partition("?")
    path = _within(whole, connection)
    state = _state(request.tool_states)
    around = Around(
        principal=request.principal,
        connection=connection,
        http=HttpFacts(request.method, path, query, request.peer, request.user_agent, request.operation),
        session=SessionFacts(request.session_id, calls, denied, request.secrets),
        protocol_version=request.protocol_version,
        mcp_session_id=request.mcp_session_id,
        now=request.recorded_at,
        tools=lambda name: (annotations.get(name, NOTHING), state),
    )
    if connection.kind == "mcp":
        return calls_of(request.body, around)
    found = calls_of(b"", around)  # of any other kind the body decides nothing, but for Kubernetes' objects
    if connection.kind == "kubernetes":
        found[0].kubernetes = _kubernetes_facts(request, path, query)
    return found


def _within(path: str, connection: ConnectionFacts) -> str:
    """The path within an upstream that is reached by a prefix."""
    prefix = {"kubernetes": "/k8s/", "http": "/http/"}.get(connection.kind, "")
    named = f"{prefix}{connection.name}"
    return path.removeprefix(named) or "/" if prefix and path.startswith((f"{named}/", named)) else path


def _kubernetes_facts(request: Recorded, path: str, query: str) -> Mapping[str, Any]:
    """What was read of the request. A body in protobuf is recorded as the JSON that it means."""
    lines = [line.partition(": ") for line in request.headers.split("\n") if line]
    headers = [(name.encode("latin-1", "replace"), value.encode()) for name, _, value in lines]
    headers = [(n, JSON.encode() if n == b"content-type" and _binary(v) else v) for n, v in headers]
    asked = Request(
        request.method, path, query, headers, request.body, request.peer, request.user_agent, target=path
    )
    try:
        facts = kubernetes.read(asked, request.cluster).facts
    except kubernetes.NotReadError as error:
        raise UnreadableError(str(error)) from None
    return {**facts, "object_known": False} if request.body_bytes and not request.body else facts


def _binary(content_type: bytes) -> bool:
    return media_type(content_type.decode("latin-1")) == PROTOBUF


def _state(recorded: str) -> ToolState:
    """Of a batch's tools the record names all states: the most suspicious stands for each."""
    states = recorded.split(",")
    return "changed" if "changed" in states else "unknown" if "unknown" in states else "pinned"
