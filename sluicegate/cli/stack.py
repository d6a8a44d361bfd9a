"""The stack of `up`: which parts run after the broker, in which order, and when each is ready.

Masking comes first because it creates the topics; then what works on the trail, and where people decide; the gateway
comes last, so that agents get in when everything behind it works. What comes together does not wait for each other.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from sluicegate.cli.console_link import telling_the_link
from sluicegate.cli.workers import command
from sluicegate.embedded.part import DATA_PATH, Part
from sluicegate.embedded.probes import NotReady, Ready, http_ready
from sluicegate.embedded.say import Say, plain_say
from sluicegate.embedded.up import EmbeddedBroker, Listen, OtherBroker, up
from sluicegate.names import PROCESSORS, Processor
from sluicegate.settings import Settings
from sluicegate.settings.addresses import EMBEDDED, reachable, split_address
from sluicegate.settings.approvals_block import public_url
from sluicegate.settings.blocks import ServerTlsBlock
from sluicegate.settings.probes import port_file, probes_of

GATEWAY_STOP_S = 25.0  # its streams end with a record each, and its workers have 20 s
WORKER_READY_S = 120.0  # several start at once, and each reads its changelog first
STORE_READY_S = 180.0  # migrations of a large store take their time
POLL_S = 0.2


async def run_stack(
    settings: Settings,
    config: Path,
    *,
    first: Sequence[Part] = (),
    listens: Sequence[Listen] = (),
    say: Say = plain_say,
) -> int:
    """Runs everything in the foreground until a signal; gives the exit code. `config` is what the parts read.

    `first` are further parts, started right after the broker, and `listens` the addresses that they need.
    """
    return await up(
        lambda _bootstrap: [*([part] for part in first), *waves(settings, config)],
        settings.data_dir,
        broker=_broker(settings),
        listens=[*listens, *_listens(settings)],
        addresses={
            "gateway": _url(settings.gateway.listen),
            "console": _url(settings.console.listen),
            "approvals": public_url(settings.approvals),
        },
        say=telling_the_link(say, settings),
    )


def waves(settings: Settings, config: Path) -> list[list[Part]]:
    """The parts after the broker: those of one list start together, when all before them are ready."""
    masking = [_processor(settings, config, "masking", n) for n in range(settings.processors.workers)]
    others = [_processor(settings, config, name, 0) for name in PROCESSORS if name != "masking"]
    return [
        masking,
        [*others, _sink(settings, config), _console(settings, config)],
        [_gateway(settings, config)],
    ]


def _broker(settings: Settings) -> EmbeddedBroker | OtherBroker:
    kafka = settings.kafka
    if kafka.bootstrap == EMBEDDED:
        return EmbeddedBroker(port=kafka.embedded_port, sync=kafka.sync)
    return OtherBroker(kafka.bootstrap)


def _listens(settings: Settings) -> list[Listen]:
    named = [
        ("gateway.listen", settings.gateway.listen),
        ("console.listen", settings.console.listen),
        ("approvals.listen", settings.approvals.listen),
    ]
    listens = [Listen(*split_address(address), name) for name, address in named]
    if settings.processors.listen:
        workers = range(settings.processors.workers)
        probes = [probes_of(settings, "masking", worker) for worker in workers]
        probes += [probes_of(settings, name, 0) for name in PROCESSORS if name != "masking"]
        listens += [Listen(host, port, "processors.listen") for host, port in probes]
    return listens


def _url(listen: str) -> str:
    return f"http://{reachable(listen)}"


def _processor(settings: Settings, config: Path, name: Processor, number: int) -> Part:
    host, _, _ = (settings.processors.listen or "127.0.0.1:").rpartition(":")
    argv = command(config, "processors", "--only", name, "--worker", str(number))
    file = port_file(settings.data_dir, name, number)
    return Part(file.stem, argv, _ready_by_file(file, host), ready_seconds=WORKER_READY_S)


def _sink(settings: Settings, config: Path) -> Part:
    ready = http_ready(_url(settings.console.listen) + "/readyz")
    return Part("sink", command(config, "sink"), ready, ready_seconds=STORE_READY_S)


def _console(settings: Settings, config: Path) -> Part:
    block = settings.approvals
    ready = _http_ready(block.listen, block.tls)
    return Part("console", command(config, "console"), ready, ready_seconds=WORKER_READY_S)


def _gateway(settings: Settings, config: Path) -> Part:
    ready = _http_ready(settings.gateway.listen, settings.gateway.tls)
    return Part("gateway", command(config, "gateway"), ready, stop_seconds=GATEWAY_STOP_S, backoff=DATA_PATH)


def _http_ready(listen: str, tls: ServerTlsBlock | None) -> Ready:
    if tls is None:
        return http_ready(_url(listen) + "/readyz")
    return http_ready(f"https://{reachable(listen)}/readyz", tls.certificate_file)


def _ready_by_file(file: Path, host: str) -> Ready:
    """Ready when the port in `file` answers /readyz. A file of an earlier run names a port that does not answer."""

    async def ready(timeout_s: float) -> None:
        until, missing = time.monotonic() + timeout_s, f"{file} is not there yet"
        while (left := until - time.monotonic()) > 0:
            port = await asyncio.to_thread(_port_in, file)
            if port is None:
                await asyncio.sleep(min(left, POLL_S))
                continue
            try:
                return await http_ready(_url(f"{host}:{port}") + "/readyz")(min(left, 5 * POLL_S))
            except NotReady as fault:
                missing = str(fault)
        raise NotReady(missing)

    return ready


def _port_in(file: Path) -> int | None:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None
