"""An entry of `connections`: one upstream, who may use it, and how."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sluicegate.settings.blocks import (
    MIB,
    Block,
    Bytes,
    FilePath,
    HostName,
    Name,
    Seconds,
    Text,
    Upstream,
    VariableName,
    some,
)
from sluicegate.settings.credentials import CredentialBlock
from sluicegate.settings.kubernetes import ClusterName, Impersonate, KubeConfigBlock
from sluicegate.settings.masking import Masking, Profile, SealedBlock
from sluicegate.settings.reviewing import RequestsBlock, Reviewer


class TimeoutsBlock(Block):
    """How long to wait for an upstream."""

    connect_seconds: Seconds = Field(default=5.0, description="Until the upstream accepts the connection.")
    response_seconds: Seconds = Field(default=300.0, description="Until the head of the upstream's answer.")
    idle_seconds: Seconds = Field(
        default=900.0,
        description="Between two frames of a stream; not given for kind `kubernetes`: 3900, since API servers end a "
        "watch within the hour themselves. A WebSocket may be idle for four hours.",
    )


class StdioBlock(Block):
    """Bounds on the processes of a connection that gives a `command`."""

    processes_max: int = Field(
        default=64, ge=1, le=10_000, description="Most processes at once, one a session."
    )
    idle_seconds: Seconds = Field(default=600.0, description="A process unused for this long is ended.")
    line_bytes_max: Bytes = Field(default=8 * MIB, description="Longest line a process may write, in bytes.")


class AccessBlock(Block):
    """Who may use a connection."""

    groups: tuple[Text, ...] = Field(
        default=(), description="Groups whose members may use it; with `subjects` not given either: everyone."
    )
    subjects: tuple[Text, ...] = Field(default=(), description="Callers who may use it, by subject.")
    when: str = Field(default="", description="CEL condition that must hold beside.")
    requests: RequestsBlock | None = Field(
        default=None, description="Who may lend access for a time; not given: nobody can ask for it."
    )


class RateBlock(Block):
    """A token bucket."""

    per_second: float = Field(
        gt=0, le=1_000_000, allow_inf_nan=False, description="How many requests a second, in the long run."
    )
    burst: int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="How many at once after a pause; not given: those of one second.",
    )


class QuotaBlock(Block):
    """How much of a connection may be used."""

    rate: RateBlock | None = Field(default=None, description="By one caller.")
    concurrent: int | None = Field(
        default=None, ge=1, le=100_000, description="Most requests of one caller at once."
    )
    total_rate: RateBlock | None = Field(default=None, description="By all together.")
    total_concurrent: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Most requests of all at once."
    )


class ToolsBlock(Block):
    """Tool pinning and the listing."""

    on_change: Literal["hold", "deny", "allow"] = Field(
        default="hold",
        description="What a call of a tool gets whose description or schema changed, until the change is accepted.",
    )
    filter_list: bool = Field(
        default=True, description="Whether `tools/list` shows only what the caller may call."
    )
    reviewers: tuple[Reviewer, ...] = Field(
        default=(),
        description="Who may approve calls of a tool that changed: groups, or persons; not given: nobody.",
    )


class UpstreamTlsBlock(Block):
    """TLS towards an upstream."""

    ca_file: FilePath | None = Field(
        default=None, description="Certificates that vouch for the upstream (PEM); not given: the system's."
    )
    certificate_file: FilePath | None = Field(
        default=None, description="Our certificate, where the upstream asks for one (PEM)."
    )
    key_file: FilePath | None = Field(
        default=None, description="Key of our certificate (PEM); not given: in `certificate_file` too."
    )
    server_name: HostName | None = Field(
        default=None,
        description="Name that the upstream's certificate must bear; not given: that of its URL.",
    )


class ConnectionBlock(Block):
    """A registered upstream, served at `/mcp/NAME`; of kind `http` at `/http/NAME/…`, of `kubernetes` at `/k8s/…`."""

    name: Name = Field(description="Name in the URL and in the trail.")
    kind: Literal["mcp", "http", "kubernetes"] = Field(
        default="mcp",
        description="What speaks behind it: `mcp`; `http` for any HTTP API, served at `/http/NAME/…`; `kubernetes` "
        "for an API server, served at `/k8s/NAME/…`.",
    )
    host: HostName | None = Field(
        default=None, description="Host name of its own: every path under it is this connection's."
    )
    owner: str = Field(default="", description="Who answers for it; on the record and in conditions.")
    labels: dict[Name, str] = Field(default={}, description="Names and values for conditions and the trail.")
    upstream: Upstream | None = Field(
        default=None,
        description="URL of an MCP server that speaks Streamable HTTP; of `http` and `kubernetes`: the API's root.",
    )
    command: Annotated[tuple[Text, ...], AfterValidator(some)] | None = Field(
        default=None,
        json_schema_extra={"minItems": 1},
        description="Program and arguments of an MCP server that speaks stdio; instead of `upstream`.",
    )
    env: dict[VariableName, str] = Field(
        default={},
        repr=False,
        description="Environment of `command`; of ours it gets PATH, HOME and LANG alone.",
    )
    cluster: ClusterName | None = Field(
        default=None,
        description="Name of the cluster on the record and in rules; not given: that of the connection.",
    )
    kubeconfig: KubeConfigBlock | None = Field(
        default=None, description="In the place of `upstream`, `tls` and `credential`."
    )
    in_cluster: bool = Field(
        default=False,
        description="Whether it is the cluster that the gateway runs in, with the service account of its pod; in the "
        "place of `upstream`, `tls` and `credential`.",
    )
    impersonate: Impersonate = Field(
        default=False,
        description="Whether the API server is told who calls and judges the caller's rights, not the gateway's; or "
        "a block.",
    )
    openapi: FilePath | None = Field(
        default=None, description="OpenAPI document of an API of kind `http`: the names of its operations."
    )
    access: AccessBlock = Field(default=AccessBlock(), description="Who may use it.")
    policy: FilePath | None = Field(
        default=None, description="File with the rules for its calls; not given: every call is allowed."
    )
    quota: QuotaBlock = Field(default=QuotaBlock(), description="How much of it may be used.")
    tools: ToolsBlock = Field(default=ToolsBlock(), description="Tool pinning and the listing.")
    credential: CredentialBlock | None = Field(
        default=None, description="What the gateway shows upstream; not given: nothing."
    )
    tls: UpstreamTlsBlock | None = Field(default=None, description="TLS towards it, beyond the usual.")
    trace_user_agent: bool = Field(
        default=False,
        description="Whether `sluicegate-exchange/ID` is added to the User-Agent towards the upstream.",
    )
    masking: Masking = Field(
        default="secrets",
        description="Masking profile: `secrets`, `secrets+pii`, `strict` or `strict+pii` (refuse what cannot be "
        "read), `off`; or a block.",
    )
    masking_by_group: dict[Text, Profile] = Field(
        default={}, description="Masking profile by group; a caller's first group in this order counts."
    )
    sealed: SealedBlock | None = Field(default=None, description="Keeps originals; not given: none is kept.")
    connections_max: int = Field(
        default=256, ge=1, le=10_000, description="Most TCP connections to the upstream."
    )
    timeouts: TimeoutsBlock = Field(default=TimeoutsBlock(), description="How long to wait for it.")
    stdio: StdioBlock = Field(default=StdioBlock(), description="Bounds on the processes of `command`.")
