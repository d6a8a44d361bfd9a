"""What may stand in the file, setting by setting. The descriptions are the reference documentation's too."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from sluicegate.settings.approvals_block import ApprovalsBlock
from sluicegate.settings.blocks import (
    MIB,
    Block,
    Brokers,
    Bytes,
    Dsn,
    FilePath,
    HostName,
    Listen,
    Name,
    Seconds,
    ServerTlsBlock,
    Text,
    Url,
    some,
)
from sluicegate.settings.connection import ConnectionBlock
from sluicegate.settings.findings_block import FindingsBlock
from sluicegate.settings.identity import IdentityBlock
from sluicegate.settings.proof_block import ProofBlock
from sluicegate.settings.retention_block import RetentionBlock
from sluicegate.settings.web_block import WebBlock

if TYPE_CHECKING:  # the parts take their time to import, and reading the file needs none of them
    from gateway.settings import GatewaySettings
    from processors.settings import ProcessorSettings
    from schemas.kafka import KafkaAddress
    from sinks.settings import SinkSettings


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
    hosts: tuple[HostName, ...] = Field(
        default=(),
        description="Names that the gateway answers to in `Host` and `Origin`, beside loopback, "
        "`identity.public_url` and the `host` of connections.",
    )
    tls: ServerTlsBlock | None = Field(
        default=None,
        description="TLS spoken by the gateway itself; not given: what stands before it speaks TLS.",
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


class ProcessorsBlock(Block):
    """The stream processors between the topics `frames` and `audit`."""

    workers: int = Field(default=1, ge=1, le=64, description="Processor processes.")
    listen: Listen | None = Field(
        default=None,
        description="Address of the first worker's `/healthz`, `/readyz` and `/metrics`, each further one on the "
        "next port: first those of masking, then of approvals, of anomaly, of alerts and of checkpoints; not given: "
        "free ports, written to `data_dir/run/processors-N.port`, `approvals-N.port` and so on.",
    )


class TelemetryBlock(Block):
    """Traces for a collector that speaks OpenTelemetry."""

    otlp_endpoint: Url | None = Field(
        default=None, description="URL of an OTLP collector over HTTP; not given: no traces are sent."
    )
    service_name: Text = Field(default="sluicegate", description="Name of this service in traces.")
    sample_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of traces begun here that are sent; one begun elsewhere is followed as it says.",
    )


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
    telemetry: TelemetryBlock = Field(default=TelemetryBlock(), description="Where traces go.")
    processors: ProcessorsBlock = Field(default=ProcessorsBlock(), description="The stream processors.")
    approvals: ApprovalsBlock = Field(
        default=ApprovalsBlock(), description="Who decides on held calls, where, and how long callers wait."
    )
    web: WebBlock = Field(
        default=WebBlock(), description="The console's pages: how people log in, and who may see what."
    )
    findings: FindingsBlock = Field(
        default=FindingsBlock(), description="What is looked for, and who is told."
    )
    retention: RetentionBlock = Field(default=RetentionBlock(), description="How long the trail is kept.")
    proof: ProofBlock = Field(
        default=ProofBlock(), description="Signed checkpoints over the trail, and who else has them."
    )
    connections: Annotated[tuple[ConnectionBlock, ...], AfterValidator(some)] = Field(
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
