"""The processes: their bounds, their environment, their end, on the loops of uvloop and of asyncio."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.stdio import StdioUpstream
from gateway.edge.stdio.metrics import METRICS
from gateway.settings import Connection, Timeouts
from tests.gateway.stdio.conftest import Client, events, puppets, until

BIG = json.dumps({"jsonrpc": "2.0", "method": "n", "params": {"x": "y" * 200_000}})


def runs(pid: int) -> bool:
    """Whether the process runs; a zombie does, for somebody should have reaped it."""
    return psutil.pid_exists(pid)


def is_dead(pid: int) -> Callable[[], bool]:
    """Asks whether an orphan has ended; the machine's init may reap late."""
    return lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that do not end by themselves are made to sooner."""
    monkeypatch.setattr(
        "gateway.edge.stdio.program.ENDING", ((0, 0.1), (signal.SIGTERM, 0.1), (signal.SIGKILL, 5))
    )


async def test_a_program_sees_only_the_environment_that_it_needs(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_SECRET", "not for programs")
    seen = (await client.call(1, ("env", None), method="initialize")).json["result"]
    assert seen["GIVEN"] == "yes"
    assert set(seen) - {"LC_CTYPE"} <= {"PATH", "HOME", "LANG", "GIVEN"}


async def test_a_program_holds_nothing_of_the_gateway_open(client: Client) -> None:
    await client.opened()
    opened = (await client.call(1, ("fds", 64), method="initialize")).json["result"]
    own, other = set(opened[:3]), opened[3:]
    assert [path for path in other if path.startswith("socket:") and path not in own] == []


async def test_lines_that_are_no_messages_are_dropped_and_counted(client: Client) -> None:
    session = await client.opened()
    dropped = METRICS.dropped.labels("puppets", "not_json_rpc")
    before = dropped._value.get()
    answer = await session.call(1, ("say", "Listening on stdio"), ("say", ""), ("say", "{}"), ("answer", 1))
    assert answer.json["result"] == 1
    assert dropped._value.get() == before + 2


async def test_a_program_that_talks_on_stderr_is_not_held_up(client: Client) -> None:
    session = await client.opened()
    assert (await session.call(1, ("stderr", 4_000_000), ("answer", 1))).json["result"] == 1


async def test_a_line_over_the_limit_ends_the_program(tmp_path: Path) -> None:
    async with puppets(tmp_path, line_bytes_max=100_000) as client:
        session = await client.opened()
        with pytest.raises(UpstreamBrokenError, match="longer than 100000 bytes"):
            await session.call(1, ("say", BIG), ("answer", 1))
        assert (await session.call(2)).head.status == 404


async def test_more_programs_than_may_run_are_refused_until_one_has_ended(tmp_path: Path) -> None:
    async with puppets(tmp_path, processes_max=2) as client:
        first, _ = await client.opened(), await client.opened()
        with pytest.raises(UpstreamBrokenError, match=r"overloaded.*all 2 programs"):
            await client.opened()
        await first.read(await first.ask("DELETE"))
        assert (await client.opened()).session


async def test_an_idle_session_ends_and_one_that_is_listened_to_does_not(tmp_path: Path) -> None:
    async with puppets(tmp_path, idle_seconds=0.4) as client:
        idle, listened = await client.opened(), await client.opened()
        stream = await listened.get()
        gone = (await idle.call(1)).json["result"]["pid"]
        await until(lambda: not runs(gone))
        assert (await idle.call(2)).head.status == 404
        assert (await listened.call(1)).head.status == 200
        listened.leave(stream)


async def test_a_program_that_cannot_be_started_is_unreachable(tmp_path: Path) -> None:
    upstream = StdioUpstream(Connection("nowhere", command=(str(tmp_path / "none"), "--token=secret")))
    client = Client(upstream, tmp_path / "heard")
    for one in (client, replace(client, version="2026-07-28")):
        for _ in range(2):
            with pytest.raises(UpstreamBrokenError, match=r"upstream_unreachable.*No such file") as broken:
                await one.call(1, method="initialize" if one is client else "x")
            assert "secret" not in str(broken.value)
    await upstream.close()


async def test_a_program_that_does_not_read_is_unreachable(tmp_path: Path, impatient: None) -> None:
    async with puppets(tmp_path, timeouts=Timeouts(connect_seconds=0.2)) as client:
        session = await client.opened()
        await session.call(1, ("deaf", None))
        note = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"x": "y" * 1_000_000}}
        for _ in range(2):  # the first fills the pipe
            last = asyncio.create_task(session.post(note))
            await asyncio.wait([last])
        assert "does not read" in str(last.exception())


async def test_a_slow_client_holds_the_program_up_and_no_memory(client: Client) -> None:
    session = await client.opened()
    slow = await session.request(1, *[("say", BIG)] * 50, ("answer", "done"))
    await slow.head()
    program = session.upstream._sessions._sessions[session.session].program
    await until(lambda: program.stalled)
    assert slow._buffered < 2_000_000
    answer = await session.read(slow)
    assert len(answer.events) == 51


async def test_when_the_slow_client_leaves_the_program_is_read_again(client: Client) -> None:
    session = await client.opened()
    slow = await session.request(1, *[("say", BIG)] * 50, ("answer", "done"))
    await slow.head()
    program = session.upstream._sessions._sessions[session.session].program
    await until(lambda: program.stalled)
    session.leave(slow)
    assert (await session.call(2)).head.status == 200


@pytest.mark.parametrize("how", ["deaf", "answer"])
async def test_the_end_of_a_session_ends_a_program_and_all_it_has_started(
    client: Client, impatient: None, how: str
) -> None:
    session = await client.opened()
    grandchild = (await session.call(1, ("child", None))).json["result"]
    leader = (await session.call(2)).json["result"]["pid"]
    await session.call(3, (how, None))
    await session.read(await session.ask("DELETE"))
    await until(lambda: not runs(leader))
    await until(is_dead(grandchild))


async def test_a_program_that_dies_takes_what_it_has_started_with_it(client: Client) -> None:
    session = await client.opened()
    grandchild = (await session.call(1, ("child", None))).json["result"]
    with pytest.raises(UpstreamBrokenError):
        await session.call(2, ("exit", 0))
    await until(is_dead(grandchild))


async def test_close_leaves_no_process_behind(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    async with puppets(tmp_path) as client:
        for _ in range(3):
            await client.opened()
        assert len(set(psutil.Process().children()) - before) == 4  # the guard is one
    assert set(psutil.Process().children()) == before


GATEWAY = """
import asyncio, sys
from gateway.edge.stdio import StdioUpstream
from gateway.effects import Forward
from gateway.settings import Connection

async def main():
    upstream = StdioUpstream(Connection("x", command=tuple(sys.argv[1:])))
    body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"do":[["child",0]]}}'
    reply = await upstream.ask(Forward("us", "POST", "", [(b"content-type", b"application/json")], body))
    await reply.head()
    print((await reply.body(1000)).decode(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_kill_9_of_the_gateway_leaves_no_orphan(tmp_path: Path) -> None:
    puppet = Path(__file__).with_name("puppet.py")
    command = [
        sys.executable,
        "-c",
        GATEWAY,
        sys.executable,
        "-I",
        "-S",
        str(puppet),
        str(tmp_path / "heard"),
    ]
    gateway = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    assert gateway.stdout is not None
    try:
        grandchild = json.loads(gateway.stdout.readline())["result"]
        started = psutil.Process(gateway.pid).children(recursive=True)
        assert grandchild in [process.pid for process in started]
        assert len(started) == 3  # the program, what it has started, and the guard
    finally:
        os.kill(gateway.pid, signal.SIGKILL)
        gateway.wait()
        gateway.stdout.close()
    for process in started:
        asyncio.run(until(is_dead(process.pid)))


async def test_a_session_survives_many_exchanges(client: Client) -> None:
    session = await client.opened()
    stream = await session.get()
    for n in range(200):
        assert (await session.call(n)).json["id"] == n
    told = {"jsonrpc": "2.0", "method": "n", "params": {"do": [("say", BIG)]}}
    await session.read(await session.post(told))
    assert (await events(stream, 1))[0]["data"] == BIG
