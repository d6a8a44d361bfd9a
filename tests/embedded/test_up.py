"""The whole way up and down, with a real broker, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from sluicegate.embedded.datadir import DataDir, read_state
from sluicegate.embedded.ports import LOOPBACK, free_port
from sluicegate.embedded.up import Listen, OtherBroker, up
from tests.embedded.test_kafka import consume, create_topic, produce
from tests.embedded.test_signals import stack
from tests.embedded.waiting import eventually, is_gone, part


def test_acknowledged_records_survive_kill_9_of_the_broker_and_then_of_everything(tmp_path: Path) -> None:
    here = tmp_path / "with ü and space"
    here.mkdir()
    port = free_port()
    with stack(str(here), "up", str(port)) as first:
        said = first.until_said("ready: ")
        state = read_state(here / "var")
        assert said.strip() == f"» ready: gateway http://127.0.0.1:{port}, kafka {state.bootstrap}"
        assert state.ready
        assert state.pid == first.process.pid
        assert list(state.pids) == ["kafka", "gateway"]
        asyncio.run(create_topic(state.bootstrap, "kept"))
        values = [b"%d" % number for number in range(500)]
        asyncio.run(produce(state.bootstrap, "kept", values))

        os.kill(state.pids["kafka"], signal.SIGKILL)
        first.until_said("kafka: was killed by SIGKILL")
        first.until_said("kafka: ready again")
        assert asyncio.run(consume(state.bootstrap, "kept")) == values
        state = read_state(here / "var")
        asyncio.run(produce(state.bootstrap, "kept", [b"more"]))

        with stack(str(here), "up", str(free_port())) as second:
            assert second.wait() == 1
            assert f"already runs on {here / 'var'} (process {first.process.pid})" in second.said[0]

        first.process.kill()
        eventually(lambda: all(map(is_gone, state.pids.values())))
    with stack(str(here), "up", str(port)) as again:
        again.until_said("ready: ")
        assert read_state(here / "var").bootstrap == state.bootstrap
        assert asyncio.run(consume(state.bootstrap, "kept")) == [*values, b"more"]
        again.process.send_signal(signal.SIGTERM)
        assert again.wait(40) == 0
        stops = [line for line in again.said if line.endswith("stopping\n")]
        assert stops == ["» gateway: stopping\n", "» kafka: stopping\n"]
        assert again.said[-1] == "» stopped\n"


async def test_a_taken_port_stops_the_start_before_anything_runs(tmp_path: Path) -> None:
    said: list[str] = []
    server = await asyncio.start_server(lambda _r, w: w.close(), LOOPBACK, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        code = await up(
            lambda _bootstrap: [[part(tmp_path, "gateway")]],
            tmp_path / "var",
            broker=OtherBroker("127.0.0.1:1"),
            listens=[Listen(LOOPBACK, port, "gateway.listen")],
            say=said.append,
        )
    assert code == 1
    assert said[-1].startswith(f"error: Cannot listen on 127.0.0.1:{port}")
    assert not (tmp_path / "notes").exists()


async def test_a_part_that_fails_ends_the_others_and_says_why(tmp_path: Path) -> None:
    said: list[str] = []
    code = await up(
        lambda _bootstrap: [
            [part(tmp_path, "gateway")],
            [part(tmp_path, "sink", "print('no disk'); sys.exit(4)")],
        ],
        tmp_path / "var",
        broker=OtherBroker("127.0.0.1:1"),
        say=said.append,
    )
    assert code == 1
    assert "sink ended with exit code 4 before it was ready" in said[-1]
    assert "no disk" in said[-1]
    assert (tmp_path / "notes").read_text() == "gateway started\ngateway stopped\n"
    DataDir.open(tmp_path / "var").close()


async def test_the_parts_are_told_the_address_of_a_broker_that_runs_elsewhere(
    tmp_path: Path, broker: str
) -> None:
    told: list[str] = []
    said: list[str] = []

    def after(bootstrap: str) -> list[list[object]]:
        told.append(bootstrap)
        return []

    running = asyncio.create_task(
        up(after, tmp_path / "var", broker=OtherBroker(broker), say=said.append)  # type: ignore[arg-type]
    )
    await asyncio.to_thread(eventually, lambda: f"ready: kafka {broker}" in said)
    assert read_state(tmp_path / "var").bootstrap == broker == told[0]
    signal.raise_signal(signal.SIGINT)
    assert await running == 0
    assert said[-1] == "stopped"
