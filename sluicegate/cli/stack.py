"""The stack of `up`: which parts run after the broker, in which order, and when each is ready.

The processors come first because they create the topics; the gateway comes last, so that agents get in when
everything behind it works.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sluicegate.embedded.part import DATA_PATH, Part
from sluicegate.embedded.probes import NotReady, Ready, http_ready
from sluicegate.embedded.say import Say, plain_say
from sluicegate.embedded.up import EmbeddedBroker, Listen, OtherBroker, up
from sluicegate.settings import Settings
from sluicegate.settings.addresses import EMBEDDED, reachable, split_address
from sluicegate.settings.probes import port_file

GATEWAY_STOP_S = 25.0  # its streams end with a record each, and its workers have 20 s
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
        lambda _bootstrap: [*first, *parts(settings, config)],
        settings.data_dir,
        broker=_broker(settings),
        listens=[*listens, *_listens(settings)],
        addresses={"gateway": _url(settings.gateway.listen), "console": _url(settings.console.listen)},
        say=say,
    )


def parts(settings: Settings, config: Path) -> list[Part]:
    """The parts after the broker, in the order in which they start."""
    workers = range(settings.processors.workers)
    processors = [_processor(settings, config, number) for number in workers]
    return [*processors, _sink(settings, config), _gateway(settings, config)]


def _broker(settings: Settings) -> EmbeddedBroker | OtherBroker:
    kafka = settings.kafka
    if kafka.bootstrap == EMBEDDED:
        return EmbeddedBroker(port=kafka.embedded_port, sync=kafka.sync)
    return OtherBroker(kafka.bootstrap)


def _listens(settings: Settings) -> list[Listen]:
    named = [("gateway.listen", settings.gateway.listen), ("console.listen", settings.console.listen)]
    listens = [Listen(*split_address(address), name) for name, address in named]
    if settings.processors.listen:
        host, port = split_address(settings.processors.listen)
        listens += [Listen(host, port + n, "processors.listen") for n in range(settings.processors.workers)]
    return listens


def _url(listen: str) -> str:
    return f"http://{reachable(listen)}"


def _command(config: Path, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "sluicegate", *words, "--config", str(config.absolute()))


def _processor(settings: Settings, config: Path, number: int) -> Part:
    host, _, _ = (settings.processors.listen or "127.0.0.1:").rpartition(":")
    argv = _command(config, "processors", "--worker", str(number))
    return Part(
        f"processors-{number}", argv, _ready_by_file(port_file(settings.data_dir, "masking", number), host)
    )


def _sink(settings: Settings, config: Path) -> Part:
    ready = http_ready(_url(settings.console.listen) + "/readyz")
    return Part("sink", _command(config, "sink"), ready, ready_seconds=STORE_READY_S)


def _gateway(settings: Settings, config: Path) -> Part:
    ready = _gateway_ready(settings)
    return Part("gateway", _command(config, "gateway"), ready, stop_seconds=GATEWAY_STOP_S, backoff=DATA_PATH)


def _gateway_ready(settings: Settings) -> Ready:
    listen, tls = settings.gateway.listen, settings.gateway.tls
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
