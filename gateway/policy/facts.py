"""What a rule can know of a call. Each class is one name in a rule's condition; fields are its members.

Nobody changes them once they are made. Those that are made for every request are not frozen, since making a frozen
one takes three times as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

NOTHING: Mapping[str, Any] = MappingProxyType({})
KUBERNETES: Mapping[str, Any] = MappingProxyType(
    {
        "verb": "",
        "apiGroup": "",
        "apiVersion": "",
        "resource": "",
        "subresource": "",
        "namespace": "",
        "name": "",
        "path": "",
        "resourceRequest": False,
        "cluster": "",
        "labelSelector": "",
        "fieldSelector": "",
        "dryRun": False,
        "fieldManager": "",
        "force": False,
        "propagationPolicy": "",
        "gracePeriodSeconds": -1,
        "command": [],
        "container": "",
        "stdin": False,
        "tty": False,
        "follow": False,
        "proxyPath": "",
        "kind": "",
        "patchType": "",
        "object": {},
        "object_known": True,
        "changes": [],
        "deletes": [],
        "impersonates": False,
        "impersonate": {"user": "", "uid": "", "groups": [], "extra": {}},
        "kubectlCommand": "",
        "kubectlSession": "",
    }
)
"""`kubernetes`: what stands in each of its fields where there is nothing to say, as on connections of other kinds."""


def _nothing() -> Mapping[str, Any]:
    return NOTHING


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """`principal`: who calls."""

    issuer: str = ""
    subject: str = ""
    groups: tuple[str, ...] = ()
    client_id: str = ""
    email: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """`connection`: over what."""

    name: str = ""
    kind: str = "mcp"
    owner: str = ""
    labels: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(slots=True)
class McpFacts:
    """`mcp`: one JSON-RPC message. `sender` is `server` for what upstream asks of the client (sampling, roots)."""

    method: str = ""
    sender: Literal["client", "server"] = "client"
    protocol_version: str = ""
    session_id: str = ""
    resource: str = ""  # URI of resources/*, name of a prompt
    task: str = ""  # id of a task, where the message names one
    notification: bool = False
    batch: bool = False


@dataclass(slots=True)
class ToolFacts:
    """`tool`: of a tools/call. `annotations` and `state` are what the gateway last saw the server list.

    `state`: `unknown` (never listed through the gateway), `pinned` (as first seen or accepted), `changed`.
    """

    name: str = ""
    arguments: Mapping[str, Any] = field(default_factory=_nothing)
    annotations: Mapping[str, Any] = field(default_factory=_nothing)
    state: Literal["unknown", "pinned", "changed"] = "unknown"


@dataclass(slots=True)
class HttpFacts:
    """`http`: the request. `path` is normalised and the one upstream gets; header names are in lower case.

    `operation`: its name in the OpenAPI document of the connection; '' without one, and where it is none of it.
    """

    method: str = ""
    path: str = ""
    query: str = ""
    peer: str = ""
    user_agent: str = ""
    operation: str = ""


@dataclass(slots=True)
class SessionFacts:
    """`session`: counted by this gateway process. `secrets` is how many secrets this request carries."""

    id: str = ""
    calls: int = 0
    denied: int = 0
    secrets: int = 0


@dataclass(slots=True)
class Call:
    """One call to judge. `now` is Unix seconds; rules see it as `now` (timestamp) and `time` (UTC hour, weekday)."""

    principal: PrincipalFacts = field(default_factory=PrincipalFacts)
    connection: ConnectionFacts = field(default_factory=ConnectionFacts)
    mcp: McpFacts = field(default_factory=McpFacts)
    tool: ToolFacts = field(default_factory=ToolFacts)
    http: HttpFacts = field(default_factory=HttpFacts)
    session: SessionFacts = field(default_factory=SessionFacts)
    kubernetes: Mapping[str, Any] = field(default_factory=_nothing)  # blank fields may be left out
    now: float = 0.0
