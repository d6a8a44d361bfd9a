"""Settings of the gateway, as frozen values. Read from YAML by `sluicegate.settings`, passed in from there."""

from dataclasses import dataclass, field
from enum import StrEnum


class ConnectionKind(StrEnum):
    """What speaks behind a connection."""

    MCP = "mcp"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `response`: until the head of upstream's answer; `idle`: between two frames of a stream."""

    connect_seconds: float = 5.0
    response_seconds: float = 300.0
    idle_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class StdioLimits:
    """Bounds on the processes of a connection that gives a command."""

    processes_max: int = 64
    idle_seconds: float = 600.0
    line_bytes_max: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Connection:
    """A registered upstream: either `upstream` (a URL) or `command` (a program that speaks MCP over stdio)."""

    name: str
    kind: ConnectionKind = ConnectionKind.MCP
    upstream: str | None = None
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    masking: str = "secrets"
    timeouts: Timeouts = field(default_factory=Timeouts)
    stdio: StdioLimits = field(default_factory=StdioLimits)
    connections_max: int = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange and one process may use. Bytes, seconds, counts."""

    body_bytes_max: int = 8 * 1024 * 1024
    response_bytes_max: int = 32 * 1024 * 1024
    event_bytes_max: int = 8 * 1024 * 1024
    json_depth_max: int = 128
    batch_members_max: int = 100
    exchanges_max: int = 1_000
    unrecorded_frames_max: int = 10_000
    unrecorded_bytes_max: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One gateway process."""

    host: str
    port: int
    connections: tuple[Connection, ...]
    workers: int = 1
    instance: str = "gateway"
    identity_mode: str = "none"
    record_deadline_seconds: float = 5.0
    masking_key: bytes = b""
    limits: Limits = field(default_factory=Limits)
