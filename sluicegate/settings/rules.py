"""What takes two settings to know. Each rule yields (where, what is wrong and what to do)."""

from collections.abc import Iterator, Mapping

from sluicegate.names import PROCESSORS
from sluicegate.settings.addresses import EMBEDDED, split_address
from sluicegate.settings.approvals_rules import approvals_faults
from sluicegate.settings.cloud_rules import session_token_faults
from sluicegate.settings.connection import ConnectionBlock
from sluicegate.settings.connection_rules import Fault, connection_faults, file_faults
from sluicegate.settings.identity_rules import identity_faults
from sluicegate.settings.kubernetes_rules import one_name_faults
from sluicegate.settings.model import KafkaBlock, Settings
from sluicegate.settings.probes import probes_of
from sluicegate.settings.retention_rules import retention_faults
from sluicegate.settings.web_rules import web_faults


def faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong with settings that are each right alone."""
    yield from identity_faults(settings)
    yield from _listen(settings)
    yield from _workers(settings)
    yield from _kafka(settings.kafka)
    yield from _names(settings.connections)
    yield from approvals_faults(settings)
    yield from web_faults(settings)
    yield from retention_faults(settings)
    yield from session_token_faults(settings)
    for index, connection in enumerate(settings.connections):
        yield from connection_faults(connection, ("connections", index), settings.identity.mode)
        yield from one_name_faults(connection, ("connections", index), len(settings.identity.issuers))


def _listen(settings: Settings) -> Iterator[Fault]:
    taken = {split_address(settings.gateway.listen): "the gateway's"}
    for name, listen in (("console", settings.console.listen), ("approvals", settings.approvals.listen)):
        address = split_address(listen)
        if address in taken:
            yield (name, "listen"), f"is {taken[address]} address too; give it another port"
        taken[address] = f"that of `{name}`, this"
    yield from _probes(settings, taken)


def _probes(settings: Settings, taken: Mapping[tuple[str, int], str]) -> Iterator[Fault]:
    """The ports of processors follow each other, and may run into another address."""
    if not settings.processors.listen:
        return
    workers = range(settings.processors.workers)
    probes = {probes_of(settings, name, worker) for name in PROCESSORS for worker in workers}
    for host, port in sorted(probes & taken.keys())[:1]:
        yield (
            ("processors", "listen"),
            f"its ports, one for each worker of {len(PROCESSORS)} processors, reach {host}:{port}, which is taken; "
            "begin elsewhere",
        )


def _workers(settings: Settings) -> Iterator[Fault]:
    programs = any(connection.command for connection in settings.connections)
    if settings.gateway.workers > 1 and programs:
        yield (
            ("gateway", "workers"),
            "a program over stdio lives in one gateway process and the others would not know its sessions: "
            "write 1, or serve connections with `command` by a gateway of their own",
        )


def _kafka(kafka: KafkaBlock) -> Iterator[Fault]:
    where = ("kafka", "security_protocol")
    if kafka.bootstrap == EMBEDDED and kafka.security_protocol != "PLAINTEXT":
        yield where, "the embedded broker listens on loopback in PLAINTEXT; remove this or name your brokers"
    if kafka.security_protocol.startswith("SASL") and not (kafka.sasl_username and kafka.sasl_password):
        yield where, "SASL needs `sasl_username` and `sasl_password`"
    if kafka.sasl_username and not kafka.security_protocol.startswith("SASL"):
        yield ("kafka", "sasl_username"), "is used with SASL only; set `security_protocol: SASL_SSL`"
    for name in ("ca_file", "certificate_file", "key_file"):
        path = getattr(kafka, name)
        if path and not kafka.security_protocol.endswith("SSL"):
            yield ("kafka", name), "is used with TLS only; set `security_protocol: SSL` or `SASL_SSL`"
        if path:
            yield from file_faults(path, ("kafka", name))
    if kafka.key_file and not kafka.certificate_file:
        yield ("kafka", "key_file"), "belongs to a certificate; give `certificate_file` too"


def _names(connections: tuple[ConnectionBlock, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, connection in enumerate(connections):
        if connection.name in seen:
            yield (
                ("connections", index, "name"),
                f"a connection `{connection.name}` stands above already; give this one another name",
            )
        seen.add(connection.name)
