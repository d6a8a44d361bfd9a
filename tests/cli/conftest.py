"""A trail to ask: the whole stack, run by its command, and records in its store."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from sluicegate.cli.app import app
from sluicegate.embedded.datadir import read_state
from sluicegate.embedded.guard import Guard
from tests.sinks.records import Trail
from tests.support.ports import free_addresses, nobody_listens

STOP_S = 60.0
STORED_S = 90.0
HOSTILE = b'{"text":"\x1b[31mred"}'


@dataclass(frozen=True)
class Asked:
    """A configuration whose stack is up, and a session of three frames that its store was given."""

    config: Path
    gateway: str
    session: str
    exchange: str

    def run(self, *words: str) -> Result:
        """One command on it."""
        return CliRunner().invoke(app, [*words, "--config", str(self.config)])

    def send(self, made: Trail) -> None:
        """Puts frames into the trail."""
        asyncio.run(_send(read_state(self.config.parent / "var").bootstrap, made.values))

    def rows(self, count: int, *words: str) -> list[dict[str, Any]]:
        """What a command lists as JSON, once there are at least `count` of it."""
        until = time.monotonic() + STORED_S
        while True:
            said = self.run(*words, "--json")
            assert said.exit_code == 0, said.output
            found = [json.loads(line) for line in said.stdout.splitlines()]
            if len(found) >= count:
                return found
            assert time.monotonic() < until, found

    def stored(self, session: str, frames: int) -> None:
        """Returns when the store has so many frames of a session, and SQL says so, too: that is answered from a
        snapshot, which may be some seconds old."""
        self.rows(frames, "frames", "--session", session)
        self.counted(f"v_frames WHERE session_id = '{session}'", frames)

    def counted(self, rows: str, count: int) -> None:
        """Returns when SQL counts so many `rows`: a view, and which of its rows."""
        sql, until = f"SELECT count() AS n FROM {rows}", time.monotonic() + STORED_S
        while json.loads((said := self.run("query", sql, "--json")).stdout) != {"n": count}:
            assert time.monotonic() < until, said.stdout


@pytest.fixture(scope="package")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """`sluicegate up` with three stored frames, stopped politely at the end."""
    folder = tmp_path_factory.mktemp("cli")
    gateway, console, approvals = free_addresses(3)
    config = folder / "sluicegate.yaml"
    with nobody_listens() as upstream:
        config.write_text(
            f'gateway: {{listen: "{gateway}"}}\nconsole: {{listen: "{console}"}}\nkafka: {{sync: false}}\n'
            f'approvals: {{listen: "{approvals}"}}\n'
            f'identity: {{mode: none}}\nconnections: [{{name: demo, upstream: "http://127.0.0.1:{upstream}/mcp"}}]\n',
            "utf-8",
        )
        with _up(config):
            yield _recorded(config, gateway)


@contextmanager
def _up(config: Path) -> Iterator[None]:
    argv = [sys.executable, "-m", "sluicegate", "up", "--config", config.name]
    guard = Guard(grace_s=STOP_S)
    stack = subprocess.Popen(
        argv, cwd=config.parent, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    guard.watch(stack.pid)
    try:
        assert stack.stdout
        said = []
        for line in stack.stdout:
            said.append(line)
            if "ready:" in line:
                break
        else:
            pytest.fail(f"the stack did not come up: {''.join(said)}")
        yield
        os.kill(stack.pid, signal.SIGINT)
        rest, _ = stack.communicate(timeout=STOP_S)
        assert stack.returncode == 0, rest
        assert rest.endswith("stopped\n")
    finally:
        guard.close()
        if stack.stdout:
            stack.stdout.close()


def _recorded(config: Path, gateway: str) -> Asked:
    made = Trail(lane=f"cli/{uuid4().hex[:8]}/0/0")
    session = str(uuid4())
    exchange = made.exchange(HOSTILE, session_id=session, tool="get_pod")
    made.frame(
        b'{"method":"tools/list"}', session_id=session, method="tools/list", tool="", outcome="client_gone"
    )
    asked = Asked(config, gateway, session, exchange)
    asked.send(made)
    asked.stored(session, len(made.values))
    return asked


async def _send(bootstrap: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for value in values:
            await producer.send_and_wait("audit", value, partition=0)
