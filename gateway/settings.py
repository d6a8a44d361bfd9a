"""Settings of the gateway, as frozen values. Read from YAML by `sluicegate.settings`, passed in from there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal


class ConnectionKind(StrEnum):
    """What speaks behind a connection."""

    MCP = "mcp"
    HTTP = "http"
    KUBERNETES = "kubernetes"


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


# ---- who calls


@dataclass(frozen=True, slots=True)
class ClaimMapping:
    """Where a token says what: paths into its claims, `.` between levels. A claim's own name may hold dots: it is
    tried whole first. Groups are a list, or text with spaces or commas between."""

    subject: str = "sub"
    groups: str = "groups"
    client_id: str = "azp"
    email: str = "email"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One provider of tokens. `audiences` empty: a token must name the resource it is used on (RFC 8707)."""

    name: str
    issuer: str
    audiences: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    jwks_url: str | None = None  # without it: discovery at the issuer
    jwks_file: Path | None = None
    origins: tuple[str, ...] = ()  # further origins (https://host[:port]) where its keys may lie
    ca_file: Path | None = None
    claims: ClaimMapping = field(default_factory=ClaimMapping)
    scopes_required: tuple[str, ...] = ()
    types: tuple[str, ...] = ("at+jwt", "JWT", "")  # values of the header `typ`; '' is none
    id_tokens: bool = False
    leeway_seconds: float = 30.0
    keys_fresh_seconds: float = 300.0  # fetched again after this long
    keys_stale_seconds: float = 86_400.0  # used for so long when the provider does not answer
    cooldown_seconds: float = 10.0  # an unknown kid makes at most one fetch in this time


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """Short-lived tokens that the gateway itself gives at `POST /token`. `key`: 32 bytes, the seed of Ed25519."""

    key: bytes = field(default=b"", repr=False)
    ttl_seconds: float = 900.0
    purpose_required: bool = False


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """`none` asks nobody who they are, on loopback only. `public_url`: how clients reach this gateway."""

    mode: Literal["none", "oidc"] = "none"
    public_url: str = ""
    issuers: tuple[Issuer, ...] = ()
    session_tokens: SessionTokens | None = None


# ---- who may do what


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a connection: anyone in `groups` or `subjects`, for whom `when` (CEL) holds. Empty: everyone."""

    groups: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    when: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What one principal may use of one connection, and what all together may. None: no bound."""

    rate: Rate | None = None
    concurrent: int | None = None
    total_rate: Rate | None = None
    total_concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """Tool pinning and the listing. `on_change`: what a call of a tool that changed gets until it is accepted."""

    on_change: Literal["hold", "deny", "allow"] = "hold"
    filter_list: bool = True


@dataclass(frozen=True, slots=True)
class AccessRequests:
    """Who may lend access to a connection to those that have none, and for how long at most. `quorum`: parts of
    (reviewers, how many different people of them), as in `gateway.policy.verdict.Asked`."""

    quorum: tuple[tuple[tuple[str, ...], int], ...]
    seconds_max: int = 8 * 3600
    expires_seconds: int = 24 * 3600
    comment_required: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """How held calls wait. `signing_seed`: 32 bytes, the seed of the gateway's Ed25519 key; `machine_public`: the
    public key (32 bytes) that settled records are believed with. Without them every held call is refused.

    `stream_seconds`: how long a client that reads a stream is kept at most; `poll_seconds`: one that does not.
    `status_url`: where a person sees an approval; `{id}` is replaced; '' is the gateway's own `/approvals/{id}`.
    """

    signing_seed: bytes = field(default=b"", repr=False)
    machine_public: bytes = b""
    stream_seconds: float = 900.0
    poll_seconds: float = 25.0
    keep_alive_seconds: float = 10.0
    waiting_max: int = 200  # in one process
    waiting_by_principal_max: int = 20
    status_url: str = ""
    reviewers: tuple[str, ...] = ()  # of calls that no rule names reviewers for


# ---- towards upstream


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is read: an environment variable, or a file that is read again when it changes."""

    env: str | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class FixedCredential:
    """The same credential on every request: `Authorization: Bearer`, `Basic` (with `username`), or any header."""

    kind: Literal["bearer", "basic", "header"]
    secret: SecretSource
    username: str = ""
    header: str = ""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749, 4.4)."""

    token_url: str
    client_id: str
    secret: SecretSource
    scopes: tuple[str, ...] = ()
    audience: str = ""
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class TokenExchange:
    """RFC 8693: the caller's token for one that upstream takes, on the caller's behalf."""

    token_url: str
    client_id: str
    secret: SecretSource
    scopes: tuple[str, ...] = ()
    audience: str = ""
    resource: str = ""
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ClientsOwn:
    """What the client sends as its credential goes on. Only where the gateway itself asks for none (mode none)."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Unmasked bodies are kept under this age recipient (age1…), whose private key is not here, for so many hours."""

    recipient: str
    retention_hours: int = 24


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The token of a Kubernetes service account, out of a file that the cluster renews."""

    token_file: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class KubeConfig:
    """A context of a kubeconfig: where its server is, who vouches for it, and what the gateway shows it (a client
    certificate, a token, or what an exec plugin gives, which may take `exec_seconds`). '' is its current context."""

    file: Path
    context: str = ""
    exec_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Impersonation:
    """How a caller is named to a Kubernetes API server, whose RBAC then judges the caller and not the gateway. Names
    that begin with `system:` are those of Kubernetes itself: none of a token's is passed on but those that match one
    of `system_allowed` (`*` and `?`)."""

    user: Literal["subject", "email", "issuer#subject"] = "subject"
    user_prefix: str = ""
    groups: bool = True
    groups_prefix: str = ""
    system_allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AwsRole:
    """One role of a chain: assumed with what came before it."""

    arn: str
    session_name: str = "sluicegate"
    external_id: str = ""
    seconds: int = 3600


@dataclass(frozen=True, slots=True)
class AwsIdentity:
    """Who the gateway is to AWS. `web_identity_token_file`: the first role is assumed with this token (IRSA);
    without it the chain begins with what botocore finds (environment, profile, container, instance)."""

    region: str
    roles: tuple[AwsRole, ...] = ()
    web_identity_token_file: Path | None = None
    profile: str = ""
    sts_endpoint: str = ""  # '' is that of the region


@dataclass(frozen=True, slots=True)
class EksToken:
    """A token for the Kubernetes API of an EKS cluster: a GetCallerIdentity request, signed and not sent."""

    cluster: str
    identity: AwsIdentity


@dataclass(frozen=True, slots=True)
class SigV4:
    """Each request to an AWS API is signed."""

    service: str
    identity: AwsIdentity


@dataclass(frozen=True, slots=True)
class GoogleToken:
    """An access token of Google Cloud. `file`: a service account's key or a configuration of workload identity
    federation, as google-auth reads them; None: the metadata server. `impersonate`: e-mail of a service account."""

    file: Path | None = None
    impersonate: str = ""
    scopes: tuple[str, ...] = ("https://www.googleapis.com/auth/cloud-platform",)
    quota_project: str = ""


@dataclass(frozen=True, slots=True)
class OwnSessionToken:
    """A session token of this gateway for another of its connections, in the caller's name: what speaks behind this
    connection calls the other one as the same principal."""

    connection: str


Credential = (
    FixedCredential
    | ClientCredentials
    | TokenExchange
    | ClientsOwn
    | ServiceAccount
    | EksToken
    | SigV4
    | GoogleToken
    | OwnSessionToken
)


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """TLS towards upstream: who vouches for it, and our own certificate. None: the system's authorities, no own."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None
    ca_data: str = ""  # PEM, as a kubeconfig may hold it
    certificate_data: str = ""
    key_data: str = field(default="", repr=False)


# ---- what is masked, what is measured


@dataclass(frozen=True, slots=True)
class MaskingRules:
    """A connection's own, beside its profile: `masking.profile_from(profile, rules, allow, leave, forms)` takes
    them."""

    rules: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    allow: tuple[str, ...] = ()
    leave: tuple[str, ...] | None = None
    forms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Traces by OTLP over HTTP. Without an endpoint none are sent."""

    otlp_endpoint: str | None = None
    service_name: str = "sluicegate"
    sample_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A registered upstream: either `upstream` (a URL) or `command` (a program that speaks MCP over stdio)."""

    name: str
    kind: ConnectionKind = ConnectionKind.MCP
    host: str | None = None  # served at every path of this Host too
    owner: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    access: Access = field(default_factory=Access)
    policy_file: Path | None = None  # without one: all is allowed, and the record says so by an empty version
    quota: Quota = field(default_factory=Quota)
    tools: ToolSettings = field(default_factory=ToolSettings)
    access_requests: AccessRequests | None = None  # without it nobody can ask for access
    tool_change_reviewers: tuple[str, ...] = ()  # who may approve calls of a tool that changed
    credential: Credential | None = None
    tls: UpstreamTls | None = None
    trace_user_agent: bool = False  # adds `sluicegate-exchange/ID` to the User-Agent towards upstream
    upstream: str | None = None
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    masking: str = "secrets"
    masking_rules: MaskingRules | None = None
    masking_by_group: tuple[tuple[str, str], ...] = ()  # (group, profile): a caller's first one counts
    timeouts: Timeouts = field(default_factory=Timeouts)
    stdio: StdioLimits = field(default_factory=StdioLimits)
    connections_max: int = 256
    sealed: Sealing | None = None  # off: no original is kept
    cluster: str = ""  # of kind kubernetes: its name on the record
    kubeconfig: KubeConfig | None = None  # in the place of `upstream`, `tls` and `credential`
    impersonate: Impersonation | None = None  # of kind kubernetes: the caller is named to the API server
    openapi_file: Path | None = None  # of kind http: names its operations


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
class ServerTls:
    """The gateway's own certificate and its key (PEM). Without it, what stands before the gateway speaks TLS."""

    certificate_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One gateway process."""

    host: str
    port: int
    connections: tuple[Connection, ...]
    workers: int = 1
    instance: str = "gateway"
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    hosts: tuple[str, ...] = ()  # names in `Host` and `Origin` that are ours, beside loopback and `host`
    record_deadline_seconds: float = 5.0
    holding: Holding = field(default_factory=Holding)
    tls: ServerTls | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    masking_key: bytes = field(default=b"", repr=False)
    limits: Limits = field(default_factory=Limits)
