"""Recorded requests as the calls that they were: what `policy replay` and `policy explain` judge.

The record holds the masked copy of a body, and of a tool only what its server said in a listing: a rule that looks
at a secret's own text, or counts what a session did before, can judge a recorded call otherwise than the live one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.policy.calls import Around, ToolState, calls_of
from gateway.policy.facts import NOTHING, Call, ConnectionFacts, HttpFacts, PrincipalFacts, SessionFacts

Annotations = Mapping[str, Mapping[str, Any]]
"""The annotations of tools as last listed, by tool."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request frame. `path` has the query; `tool_states` names what tools were in when not pinned."""

    body: bytes
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
    path, _, query = request.path.partition("?")
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
    return calls_of(request.body, around)


def _state(recorded: str) -> ToolState:
    """Of a batch's tools the record names all states: the most suspicious stands for each."""
    states = recorded.split(",")
    return "changed" if "changed" in states else "unknown" if "unknown" in states else "pinned"
