"""The whole way up: data directory, broker, the other parts, the line that says `ready`, and down again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sluicegate.embedded.datadir import DataDir, RunState
from sluicegate.embedded.errors import EmbeddedError, StopAsked
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.part import DATA_PATH, Part
from sluicegate.embedded.ports import tcp_port_free
from sluicegate.embedded.probes import kafka_ready
from sluicegate.embedded.say import Say, plain_say
from sluicegate.embedded.supervisor import Supervisor

BROKER_READY_S = 120.0  # after a power cut it reads the end of every log first
BROKER_STOP_S = 30.0

PartsAfterBroker = Callable[[str], Sequence[Sequence[Part]]]
"""Given the address of Kafka: lists of parts; those of one list start together, when all before them are ready."""


@dataclass(frozen=True)
class EmbeddedBroker:
    """Run a broker here. Port 0: the one of the last start or a free one; for the rest see KafkaBroker."""

    port: int = 0
    sync: bool = True
    heap_mb: int = 512
    cache: Path | None = None


@dataclass(frozen=True)
class OtherBroker:
    """Use a Kafka that somebody else runs, at "host:port,host:port"."""

    bootstrap: str


@dataclass(frozen=True)
class Listen:
    """An address that a part will listen on, checked before anything is started."""

    host: str
    port: int
    what_to_change: str


@dataclass
class _Published:
    """The state of this run; every change of it goes to run/state.json."""

    data: DataDir
    state: RunState = field(default_factory=lambda: RunState(bootstrap=""))

    def pids(self, pids: Mapping[str, int]) -> None:
        """These parts run now."""
        self.change(pids=dict(pids))

    def change(self, **changes: object) -> None:
        """Set fields of the state; published once the address of Kafka is known."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]  # field names are ours
        if self.state.bootstrap:
            self.data.write_state(self.state)


async def up(
    parts_after_broker: PartsAfterBroker,
    data_dir: Path,
    *,
    broker: EmbeddedBroker | OtherBroker,
    listens: Sequence[Listen] = (),
    addresses: Mapping[str, str] | None = None,
    say: Say = plain_say,
) -> int:
    """Run the stack in the foreground until a signal asks it to stop.

    Args:
        parts_after_broker: given the bootstrap address when Kafka answers, the other parts in their order; those of
            one list start together.
        listens: what must be free for those parts.
        addresses: what the `ready` line and run/state.json tell, by name.

    Returns:
        The exit code: 0 after an orderly stop, 1 when something kept the stack from running; that is said,
        with what to do. Everything that was started has ended in both cases.
    """
    try:
        with DataDir.open(data_dir) as data:
            await _run(
                parts_after_broker, data, broker=broker, listens=listens, addresses=addresses or {}, say=say
            )
    except StopAsked as stop:
        say(str(stop))
    except EmbeddedError as error:
        say(f"error: {error}")
        return 1
    say("stopped")
    return 0


async def _run(
    parts_after_broker: PartsAfterBroker,
    data: DataDir,
    *,
    broker: EmbeddedBroker | OtherBroker,
    listens: Sequence[Listen],
    addresses: Mapping[str, str],
    say: Say,
) -> None:
    published = _Published(data)
    async with Supervisor(data.run, data.logs, say=say, on_change=published.pids) as supervisor:
        for listen in listens:
            tcp_port_free(listen.host, listen.port, listen.what_to_change)
        bootstrap = await _kafka(supervisor, data, broker, say)
        addresses = {**addresses, "kafka": bootstrap}
        published.change(bootstrap=bootstrap, addresses=addresses, pids=supervisor.pids())
        for parts in parts_after_broker(bootstrap):
            await supervisor.start(*parts)
        published.change(ready=True)
        say(f"ready: {', '.join(f'{name} {address}' for name, address in addresses.items())}")
        await supervisor.wait()


async def _kafka(
    supervisor: Supervisor, data: DataDir, broker: EmbeddedBroker | OtherBroker, say: Say
) -> str:
    """Give the address of a Kafka; an embedded one answers when this returns."""
    if isinstance(broker, OtherBroker):
        return broker.bootstrap
    embedded = KafkaBroker(
        data.kafka, port=broker.port, sync=broker.sync, heap_mb=broker.heap_mb, cache=broker.cache
    )
    await asyncio.to_thread(embedded.prepare, say, supervisor.stop_flag)
    part = Part(
        name="kafka",
        argv=embedded.argv,
        env=embedded.env,
        cwd=data.kafka,
        ready=kafka_ready(embedded.port),
        ready_seconds=BROKER_READY_S,
        stop_seconds=BROKER_STOP_S,
        backoff=DATA_PATH,
    )
    await supervisor.start(part)
    return embedded.bootstrap
