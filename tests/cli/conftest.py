"""A trail to ask: a real sink, run by its command, and records on its topic."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from sluicegate.cli.app import app
from sluicegate.embedded.datadir import DataDir, RunState
from sluicegate.embedded.guard import Guard
from sluicegate.embedded.ports import free_port
from sluicegate.embedded.probes import http_ready
from tests.sinks.records import Trail

READY_S = 90.0
STOP_S = 20.0
HOSTILE = b'{"text":"\x1b[31mred"}'


@dataclass(frozen=True)
class Asked:
    """A configuration whose store has a trail, and what is in it."""

    config: Path
    session: str
    exchange: str

    def run(self, *words: str) -> Result:
        """One command on it."""
        return CliRunner().invoke(app, [*words, "--config", str(self.config)])


@pytest.fixture(scope="package")
def trail(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A sink on the test broker that has stored a session of three frames."""
    folder = tmp_path_factory.mktemp("cli")
    console = f"127.0.0.1:{free_port()}"
    config = folder / "sluicegate.yaml"
    config.write_text(
        f'console: {{listen: "{console}"}}\nidentity: {{mode: none}}\n'
        'connections: [{name: demo, upstream: "http://127.0.0.1:9/mcp"}]\n',
        "utf-8",
    )
    with DataDir.open(folder / "var") as data:
        data.write_state(RunState(bootstrap=broker))
        with _sink(config, folder / "sink.log", f"http://{console}/readyz"):
            yield _recorded(broker, config)


class _sink:  # noqa: N801 (used as a statement)
    """The command `sluicegate sink`, ended with the block and with the test process."""

    def __init__(self, config: Path, log: Path, ready: str) -> None:
        self._argv = [sys.executable, "-m", "sluicegate", "sink", "--config", str(config)]
        self._log, self._ready = log, ready

    def __enter__(self) -> None:
        self._guard = Guard()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._argv, stderr=log, start_new_session=True)
        self._guard.watch(self._process.pid)
        asyncio.run(self._wait())

    async def _wait(self) -> None:
        await http_ready(self._ready)(READY_S)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            assert self._process.wait(STOP_S) == 0
        finally:
            self._guard.close()


def _recorded(broker: str, config: Path) -> Asked:
    made = Trail(lane=f"cli/{uuid4().hex[:8]}/0/0")
    session = str(uuid4())
    exchange = made.exchange(HOSTILE, session_id=session, tool="get_pod")
    made.frame(
        b'{"method":"tools/list"}', session_id=session, method="tools/list", tool="", outcome="client_gone"
    )
    asyncio.run(_send(broker, made.values))
    return Asked(config, session, exchange)


async def _send(broker: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for value in values:
            await producer.send_and_wait("audit", value, partition=0)
