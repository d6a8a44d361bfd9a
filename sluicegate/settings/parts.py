"""From the file's settings to the frozen settings that each part takes. The parts know nothing of YAML."""

from pathlib import Path

from gateway.settings import (
    Connection,
    ConnectionKind,
    GatewaySettings,
    IdentitySettings,
    Limits,
    StdioLimits,
    Timeouts,
)
from processors.settings import ProcessorSettings
from schemas.kafka import KafkaAddress
from sinks.clickhouse import ClickHouseAddress
from sinks.settings import SinkSettings
from sluicegate.embedded.datadir import read_state
from sluicegate.embedded.errors import DataDirError
from sluicegate.settings.addresses import EMBEDDED, split_address
from sluicegate.settings.masking_key import masking_key
from sluicegate.settings.model import ConnectionBlock, Settings


class NotRunningError(Exception):
    """The embedded stack is not running, so there is no broker to speak to. The message says what to do."""


def gateway_settings(settings: Settings) -> GatewaySettings:
    """What `gateway.app.serve` takes. Makes the masking key when there is none; raises MaskingKeyError."""
    block = settings.gateway
    host, port = split_address(block.listen)
    return GatewaySettings(
        host=host,
        port=port,
        connections=tuple(_connection(connection) for connection in settings.connections),
        workers=block.workers,
        instance=block.instance,
        identity=IdentitySettings(mode=settings.identity.mode),
        record_deadline_seconds=block.record_deadline_seconds,
        masking_key=masking_key(settings.data_dir),
        limits=Limits(**block.limits.model_dump()),
    )


def _connection(block: ConnectionBlock) -> Connection:
    return Connection(
        name=block.name,
        kind=ConnectionKind(block.kind),
        upstream=block.upstream,
        command=block.command or (),
        env=tuple(block.env.items()),
        masking=block.masking,
        timeouts=Timeouts(**block.timeouts.model_dump()),
        stdio=StdioLimits(**block.stdio.model_dump()),
        connections_max=block.connections_max,
    )


def kafka_address(settings: Settings) -> KafkaAddress:
    """How to reach Kafka. Raises NotRunningError when the broker is the embedded one and no stack is up."""
    kafka = settings.kafka
    if kafka.bootstrap == EMBEDDED:
        return KafkaAddress(bootstrap=_embedded_bootstrap(settings.data_dir), embedded=True)
    return KafkaAddress(
        bootstrap=",".join(broker.strip() for broker in kafka.bootstrap.split(",")),
        security_protocol=kafka.security_protocol,
        sasl_mechanism=kafka.sasl_mechanism,
        sasl_username=kafka.sasl_username,
        sasl_password=kafka.sasl_password,
        ca_file=str(kafka.ca_file) if kafka.ca_file else None,
        certificate_file=str(kafka.certificate_file) if kafka.certificate_file else None,
        key_file=str(kafka.key_file) if kafka.key_file else None,
    )


def _embedded_bootstrap(data_dir: Path) -> str:
    try:
        return read_state(data_dir).bootstrap
    except DataDirError as error:
        raise NotRunningError(str(error)) from error


def sink_settings(settings: Settings) -> SinkSettings:
    """What `sinks` takes to own the store or to ask its owner."""
    host, port = split_address(settings.console.listen)
    return SinkSettings(
        clickhouse=ClickHouseAddress(settings.clickhouse.dsn, settings.data_dir),
        data_dir=settings.data_dir,
        host=host,
        port=port,
        hosts=settings.console.hosts,
    )


def processor_settings(settings: Settings, worker: int) -> ProcessorSettings:
    """What `processors.worker` takes for worker number `worker`, from 0; its probes listen that many ports further.

    Makes the masking key when there is none; raises MaskingKeyError.
    """
    host, port = (
        split_address(settings.processors.listen) if settings.processors.listen else ("127.0.0.1", -worker)
    )
    return ProcessorSettings(
        datadir=settings.data_dir / "faust" / f"worker-{worker}",
        masking_key=masking_key(settings.data_dir),
        host=host,
        port=port + worker,
        port_file=port_file(settings.data_dir, worker),
        profiles={connection.name: connection.masking for connection in settings.connections},
    )


def port_file(data_dir: Path, worker: int) -> Path:
    """Where processor worker `worker` writes the port of its probes."""
    return data_dir / "run" / f"processors-{worker}.port"
