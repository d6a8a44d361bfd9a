"""What may stand in the file, setting by setting. The descriptions are the reference documentation's too."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from sluicegate.settings.addresses import check_brokers, check_dsn, check_listen, check_upstream

if TYPE_CHECKING:  # the parts take their time to import, and reading the file needs none of them
    from gateway.settings import GatewaySettings
    from processors.settings import ProcessorSettings
    from schemas.kafka import KafkaAddress
    from sinks.settings import SinkSettings

MIB = 1024 * 1024
_Entry = TypeVar("_Entry")
_CONNECTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _in_folder_of_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path.cwd())
    return Path(folder, path.expanduser()).resolve()


def _named(pattern: re.Pattern[str], rule: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(rule)
        return text

    return check


def _some(entries: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    # Not `min_length`: that one counts faulty entries as absent, and tells two faults where there is one.
    if not entries:
        raise ValueError("must have at least one entry")
    return entries


FilePath = Annotated[Path, AfterValidator(_in_folder_of_file)]
Listen = Annotated[str, AfterValidator(check_listen)]
Brokers = Annotated[str, AfterValidator(check_brokers)]
Dsn = Annotated[str, AfterValidator(check_dsn)]
Upstream = Annotated[str, AfterValidator(check_upstream)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Bytes = Annotated[int, Field(ge=1_024, le=1024 * MIB)]
Name = Annotated[
    str,
    AfterValidator(
        _named(_CONNECTION_NAME, "must be 1 to 63 of letters, digits, `.`, `_`, `-`, a letter or digit first")
    ),
]
VariableName = Annotated[
    str, AfterValidator(_named(_VARIABLE_NAME, "must be letters, digits and `_`, no digit first"))
]


class Block(BaseModel):
    """A block of settings: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True
    )


class LimitsBlock(Block):
    """What one exchange and one gateway process may use; beyond it the client gets a clear 4xx or 503."""

    body_bytes_max: Bytes = Field(default=8 * MIB, description="Largest request body, in bytes.")
    response_bytes_max: Bytes = Field(
        default=32 * MIB, description="Largest response body that is one frame, in bytes."
    )
    event_bytes_max: Bytes = Field(default=8 * MIB, description="Largest single server-sent event, in bytes.")
    json_depth_max: int = Field(default=128, ge=1, le=512, description="Deepest nesting of a JSON body.")
    batch_members_max: int = Field(
        default=100, ge=1, le=10_000, description="Most members of a JSON-RPC batch."
    )
    exchanges_max: int = Field(
        default=1_000, ge=1, le=100_000, description="Most exchanges at once in one process."
    )
    unrecorded_frames_max: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="Most frames of one process that wait for their record.",
    )
    unrecorded_bytes_max: Bytes = Field(
        default=64 * MIB, description="Most bytes of one process that wait for their record."
    )


class GatewayBlock(Block):
    """The gateway: where agents connect."""

    listen: Listen = Field(
        default="127.0.0.1:8080", description="Address the agents connect to, `host:port`."
    )
    workers: int = Field(default=1, ge=1, le=64, description="Gateway processes that share the address.")
    instance: Name = Field(
        default="gateway",
        description="Name of this gateway in the trail; give replicas different ones, such as `${HOSTNAME}`.",
    )
    record_deadline_seconds: Seconds = Field(
        default=5.0, description="A frame not recorded within this time is refused (503), never passed on."
    )
    limits: LimitsBlock = Field(default=LimitsBlock(), description="What an exchange and a process may use.")


class ConsoleBlock(Block):
    """The process that owns the store: queries of the trail."""

    listen: Listen = Field(default="127.0.0.1:8081", description="Address of the query API, `host:port`.")
    hosts: tuple[str, ...] = Field(
        default=(),
        description="Names that the query API answers to in `Host`, beside loopback; for a proxy in front.",
    )


class KafkaBlock(Block):
    """Where frames are recorded."""

    bootstrap: Brokers = Field(
        default="embedded",
        description="`embedded` (one broker run by `sluicegate up`) or `host:port,host:port`.",
    )
    sync: bool = Field(
        default=True,
        description="Embedded only: the broker syncs to disk before it acknowledges, to survive a power cut.",
    )
    embedded_port: int = Field(
        default=0, ge=0, le=65_535, description="Embedded only: the broker's port; 0 takes a free one."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT",
        description="How to speak to the brokers: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`.",
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="SASL mechanism: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`."
    )
    sasl_username: str | None = Field(default=None, description="SASL user.")
    sasl_password: str | None = Field(
        default=None, repr=False, description="SASL password; write it as `${NAME}`."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Certificates that vouch for the brokers (PEM)."
    )
    certificate_file: FilePath | None = Field(
        default=None, description="Our certificate, where brokers ask for one (PEM)."
    )
    key_file: FilePath | None = Field(default=None, description="Key of our certificate (PEM).")


class ClickHouseBlock(Block):
    """Where the trail is stored for good."""

    dsn: Dsn = Field(
        default="embedded",
        repr=False,
        description="`embedded` (in the process of `sluicegate sink`) or `clickhouse://user:password@host:8123/database`.",
    )


class IdentityBlock(Block):
    """Who may call."""

    mode: Literal["none"] = Field(
        description="`none`: nobody is asked who they are; on loopback addresses only."
    )


class ProcessorsBlock(Block):
    """The stream processors between the topics `frames` and `audit`."""

    workers: int = Field(default=1, ge=1, le=64, description="Processor processes.")
    listen: Listen | None = Field(
        default=None,
        description="Address of the first worker's `/healthz`, `/readyz` and `/metrics`, each further worker on the "
        "next port; not given: free ports, written to `data_dir/run/processors-N.port`.",
    )


class TimeoutsBlock(Block):
    """How long to wait for an upstream."""

    connect_seconds: Seconds = Field(default=5.0, description="Until the upstream accepts the connection.")
    response_seconds: Seconds = Field(default=300.0, description="Until the head of the upstream's answer.")
    idle_seconds: Seconds = Field(default=900.0, description="Between two frames of a stream.")


class StdioBlock(Block):
    """Bounds on the processes of a connection that gives a `command`."""

    processes_max: int = Field(
        default=64, ge=1, le=10_000, description="Most processes at once, one a session."
    )
    idle_seconds: Seconds = Field(default=600.0, description="A process unused for this long is ended.")
    line_bytes_max: Bytes = Field(default=8 * MIB, description="Longest line a process may write, in bytes.")


class ConnectionBlock(Block):
    """A registered upstream, served at `/mcp/NAME`."""

    name: Name = Field(description="Name in the URL and in the trail.")
    kind: Literal["mcp"] = Field(default="mcp", description="What speaks behind it: `mcp`.")
    upstream: Upstream | None = Field(
        default=None, description="URL of an MCP server that speaks Streamable HTTP."
    )
    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(_some)] | None = Field(
        default=None,
        json_schema_extra={"minItems": 1},
        description="Program and arguments of an MCP server that speaks stdio; instead of `upstream`.",
    )
    env: dict[VariableName, str] = Field(
        default={},
        repr=False,
        description="Environment of `command`; of ours it gets PATH, HOME and LANG alone.",
    )
    masking: Literal["secrets", "secrets+pii", "strict", "strict+pii", "off"] = Field(
        default="secrets",
        description="Masking profile: `secrets`, `secrets+pii`, `strict` or `strict+pii` (refuse what cannot be "
        "read), `off`.",
    )
    connections_max: int = Field(
        default=256, ge=1, le=10_000, description="Most TCP connections to the upstream."
    )
    timeouts: TimeoutsBlock = Field(default=TimeoutsBlock(), description="How long to wait for it.")
    stdio: StdioBlock = Field(default=StdioBlock(), description="Bounds on the processes of `command`.")


class Settings(Block):
    """Everything in the file. Made by `sluicegate.settings.load`, which also checks what takes two settings."""

    data_dir: FilePath = Field(  # type: ignore[assignment]  # text here too: it is validated like the file's
        default="./var",
        description="Everything kept on this machine; relative to the folder of the file.",
    )
    gateway: GatewayBlock = Field(default=GatewayBlock(), description="The gateway: where agents connect.")
    console: ConsoleBlock = Field(default=ConsoleBlock(), description="The process that owns the store.")
    kafka: KafkaBlock = Field(default=KafkaBlock(), description="Where frames are recorded.")
    clickhouse: ClickHouseBlock = Field(
        default=ClickHouseBlock(), description="Where the trail is stored for good."
    )
    identity: IdentityBlock = Field(description="Who may call. Always written out.")
    processors: ProcessorsBlock = Field(default=ProcessorsBlock(), description="The stream processors.")
    connections: Annotated[tuple[ConnectionBlock, ...], AfterValidator(_some)] = Field(
        json_schema_extra={"minItems": 1}, description="The registered upstreams, at least one."
    )

    def gateway_settings(self) -> "GatewaySettings":
        """See `parts.gateway_settings`."""
        from sluicegate.settings import parts  # noqa: PLC0415

        return parts.gateway_settings(self)

    def kafka_address(self) -> "KafkaAddress":
        """See `parts.kafka_address`."""
        from sluicegate.settings import parts  # noqa: PLC0415

        return parts.kafka_address(self)

    def processor_settings(self, worker: int = 0) -> "ProcessorSettings":
        """See `parts.processor_settings`."""
        from sluicegate.settings import parts  # noqa: PLC0415

        return parts.processor_settings(self, worker)

    def sink_settings(self) -> "SinkSettings":
        """See `parts.sink_settings`."""
        from sluicegate.settings import parts  # noqa: PLC0415

        return parts.sink_settings(self)
