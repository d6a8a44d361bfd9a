"""From the file's settings to the frozen settings that each part takes. The parts know nothing of YAML."""

from pathlib import Path
from urllib.parse import urlsplit

from gateway.settings import (
    ClaimMapping,
    GatewaySettings,
    IdentitySettings,
    Issuer,
    Limits,
    ServerTls,
    SessionTokens,
    Telemetry,
)
from masking import Profile, profile_from
from processors.settings import ProcessorSettings
from schemas.kafka import KafkaAddress
from sinks.clickhouse import ClickHouseAddress
from sinks.settings import SinkSettings
from sinks.sql.teams import TeamScope
from sluicegate.embedded.datadir import read_state
from sluicegate.embedded.errors import DataDirError
from sluicegate.settings.addresses import EMBEDDED, split_address
from sluicegate.settings.approvals import holding
from sluicegate.settings.connections import connection_of, masking_rules, profile_of
from sluicegate.settings.identity import IdentityBlock, IssuerBlock
from sluicegate.settings.keys import masking_key, session_key
from sluicegate.settings.masking import MaskingBlock
from sluicegate.settings.model import GatewayBlock, Settings
from sluicegate.settings.probes import port_file, probes_of


class NotRunningError(Exception):
    """The embedded stack is not running, so there is no broker to speak to. The message says what to do."""


def gateway_settings(settings: Settings) -> GatewaySettings:
    """What `gateway.app.serve` takes. Makes keys when there are none; raises KeyFileError."""
    block = settings.gateway
    host, port = split_address(block.listen)
    return GatewaySettings(
        host=host,
        port=port,
        connections=tuple(connection_of(connection) for connection in settings.connections),
        workers=block.workers,
        instance=block.instance,
        identity=identity_settings(settings),
        hosts=_hosts(block, settings.identity),
        record_deadline_seconds=block.record_deadline_seconds,
        tls=ServerTls(block.tls.certificate_file, block.tls.key_file) if block.tls else None,
        telemetry=Telemetry(**settings.telemetry.model_dump()),
        masking_key=masking_key(settings.data_dir),
        limits=Limits(**block.limits.model_dump()),
        holding=holding(settings),
    )


def identity_settings(settings: Settings) -> IdentitySettings:
    """Who may call. Makes the key of session tokens when they are wanted and there is none; raises KeyFileError."""
    block = settings.identity
    tokens = block.session_tokens
    return IdentitySettings(
        mode=block.mode,
        public_url=block.public_url or "",
        issuers=tuple(issuer_of(issuer) for issuer in block.issuers),
        session_tokens=SessionTokens(session_key(settings.data_dir), **tokens.model_dump())
        if tokens
        else None,
    )


def issuer_of(block: IssuerBlock) -> Issuer:
    """One provider of tokens."""
    fields = block.model_dump(exclude={"claims"})
    return Issuer(**fields, claims=ClaimMapping(**block.claims.model_dump()))


def _hosts(gateway: GatewayBlock, identity: IdentityBlock) -> tuple[str, ...]:
    """Our names: those given, and the one that clients reach us by."""
    public = urlsplit(identity.public_url or "").hostname
    return tuple(dict.fromkeys([*gateway.hosts, *([public] if public else [])]))


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
        public_url=settings.approvals.public_url or "",
        teams=tuple(TeamScope(team.name, team.connections) for team in settings.web.teams),
    )


def processor_settings(settings: Settings, worker: int) -> ProcessorSettings:
    """What `processors.worker` takes for worker number `worker`, from 0, with where its probes listen.

    Makes the masking key when there is none; raises KeyFileError.
    """
    host, port = probes_of(settings, "masking", worker)
    return ProcessorSettings(
        datadir=settings.data_dir / "faust" / f"worker-{worker}",
        masking_key=masking_key(settings.data_dir),
        host=host,
        port=port,
        port_file=port_file(settings.data_dir, "masking", worker),
        profiles={
            connection.name: _profile(profile_of(connection.masking), connection.masking)
            for connection in settings.connections
        },
        profiles_by_group={
            connection.name: [
                (group, _profile(name, connection.masking))
                for group, name in connection.masking_by_group.items()
            ]
            for connection in settings.connections
            if connection.masking_by_group
        },
    )


def _profile(name: str, masking: str | MaskingBlock) -> str | Profile:
    """The profile that the deep pass takes: what the inline pass leaves on purpose is no finding of its own.

    The rules and exceptions of a connection hold for the profiles of its groups too, as in the gateway.
    """
    own = masking_rules(masking)
    return profile_from(name, own.rules, own.allow, own.leave, own.forms) if own else name
