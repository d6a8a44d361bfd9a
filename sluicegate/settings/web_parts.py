"""Where the parts of the pipeline say how they are, for the console's page of that."""

from collections.abc import Iterator
from pathlib import Path

from console.web.settings import PartProbe
from sluicegate.names import PROCESSORS
from sluicegate.settings.addresses import reachable
from sluicegate.settings.model import Settings
from sluicegate.settings.probes import port_file, probes_of


def part_probes(settings: Settings) -> Iterator[PartProbe]:
    """All parts of a stack on one machine; of a larger one, those that are reached from here."""
    gateway = settings.gateway
    yield _server("gateway", gateway.listen, gateway.tls.certificate_file if gateway.tls else None)
    for processor in PROCESSORS:
        for worker in range(settings.processors.workers if processor == "masking" else 1):
            name = f"{processor} {worker + 1}" if processor == "masking" else processor
            host, port = probes_of(settings, processor, worker)
            if port:
                yield PartProbe(name, f"http://{reachable(f'{host}:{port}')}")
            else:
                yield PartProbe(name, port_file=port_file(settings.data_dir, processor, worker), host=host)
    yield PartProbe("store", f"http://{reachable(settings.console.listen)}")
    approvals = settings.approvals
    yield _server("console", approvals.listen, approvals.tls.certificate_file if approvals.tls else None)


def _server(name: str, listen: str, certificate: Path | None) -> PartProbe:
    scheme = "https" if certificate else "http"
    return PartProbe(name, f"{scheme}://{reachable(listen)}", certificate_file=certificate)
