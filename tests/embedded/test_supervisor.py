"""The supervisor with real child processes."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sluicegate.embedded.errors import PartFailed, StopAsked
from sluicegate.embedded.part import Backoff
from sluicegate.embedded.supervisor import Supervisor
from tests.embedded.waiting import STEADY, eventually, is_gone, lines, part

SOON = Backoff(first_s=0.05, asked_s=0.01, jitter=0.0)


class Said(list[str]):
    """Progress lines, kept."""

    def has(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def supervisor(tmp_path: Path, said: Said) -> Supervisor:
    return Supervisor(tmp_path, tmp_path, say=said.append)


def guards() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "guard.py" in " ".join(child.cmdline())]


async def until(fact: object) -> None:
    """Wait for a fact without stopping the event loop."""
    await asyncio.to_thread(eventually, fact)  # type: ignore[arg-type]


async def test_parts_start_in_order_and_stop_in_reverse(tmp_path: Path, supervisor: Supervisor) -> None:
    async with supervisor:
        for name in ("first", "second", "third"):
            await supervisor.start(part(tmp_path, name))
        assert list(supervisor.pids()) == ["first", "second", "third"]
    assert lines(tmp_path / "notes") == [
        *("first started", "second started", "third started"),
        *("third stopped", "second stopped", "first stopped"),
    ]


async def test_a_part_that_is_killed_comes_back(tmp_path: Path, supervisor: Supervisor, said: Said) -> None:
    async with supervisor:
        await supervisor.start(part(tmp_path, "worker", backoff=SOON))
        old = supervisor.pids()["worker"]
        os.kill(old, signal.SIGKILL)
        await until(lambda: said.has("worker: ready again"))
        assert supervisor.pids()["worker"] != old
    assert said.has("worker: was killed by SIGKILL", "starting again in 0.1 s", "worker.log")


async def test_exit_code_75_is_a_restart_without_alarm(
    tmp_path: Path, supervisor: Supervisor, said: Said
) -> None:
    body = "be_ready(); n = len(list(here.glob('turn*'))); (here / f'turn{n}').touch(); sys.exit(75 if n < 3 else 9)"
    async with supervisor:
        await supervisor.start(part(tmp_path, "worker", body, backoff=SOON))
        await until(lambda: said.has("worker: ended with exit code 9"))
    asked = [line for line in said if "asked to be restarted" in line]
    assert len(asked) == 3
    assert not any("worker.log" in line for line in asked)


async def test_a_part_may_ask_for_a_restart_before_it_is_ready(
    tmp_path: Path, supervisor: Supervisor, said: Said
) -> None:
    body = f"""
if not (here / 'tried').exists():
    (here / 'tried').touch(); sys.exit(75)
{STEADY}"""
    async with supervisor:
        await supervisor.start(part(tmp_path, "worker", body, backoff=SOON))
    assert said.has("asked to be restarted")


async def test_a_part_that_fails_at_its_first_start_stops_the_stack_with_its_last_lines(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    async with supervisor:
        await supervisor.start(part(tmp_path, "fine"))
        with pytest.raises(PartFailed, match=r"(?s)exit code 3.*no such connection.*sink\.log"):
            await supervisor.start(part(tmp_path, "sink", "print('no such connection'); sys.exit(3)"))
    assert lines(tmp_path / "notes")[-1] == "fine stopped"


async def test_a_part_that_never_becomes_ready_is_ended_and_named(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    body = "print('still thinking', flush=True); signal.pause()"
    with pytest.raises(PartFailed, match=r"(?s)slow was not ready within.*slow\.ready.*still thinking"):
        async with supervisor:
            await supervisor.start(part(tmp_path, "slow", body, ready_seconds=0.5))
    assert lines(tmp_path / "notes") == ["slow stopped"]


async def test_a_command_that_is_not_there_is_named(tmp_path: Path, supervisor: Supervisor) -> None:
    missing = replace(part(tmp_path, "ghost"), argv=(str(tmp_path / "no-such-program"),))
    with pytest.raises(PartFailed, match=r"ghost could not be run.*no-such-program"):
        async with supervisor:
            await supervisor.start(missing)


async def test_a_restarted_part_that_does_not_become_ready_is_tried_again(
    tmp_path: Path, supervisor: Supervisor, said: Said
) -> None:
    body = """
n = len(list(here.glob('turn*'))); (here / f'turn{n}').touch()
(here / 'worker.ready').unlink(missing_ok=True)
if n != 1: be_ready()
signal.pause()"""
    async with supervisor:
        await supervisor.start(part(tmp_path, "worker", body, ready_seconds=1.0, backoff=SOON))
        (tmp_path / "worker.ready").unlink()
        os.kill(supervisor.pids()["worker"], signal.SIGKILL)
        await until(lambda: said.has("not ready within", "ending it"))
        await until(lambda: said.has("worker: ready again"))


async def test_a_part_that_ignores_the_request_to_stop_is_killed(
    tmp_path: Path, supervisor: Supervisor, said: Said
) -> None:
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN); be_ready()\nwhile True: signal.pause()"
    async with supervisor:
        await supervisor.start(part(tmp_path, "stubborn", body, stop_seconds=0.2))
        pid = supervisor.pids()["stubborn"]
    assert is_gone(pid)
    assert said.has("stubborn: did not stop by itself and was killed")


async def test_what_a_part_started_ends_with_it(tmp_path: Path, supervisor: Supervisor) -> None:
    body = """
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (here / 'grandchild').write_text(str(os.getpid()))
    while True: signal.pause()
while not (here / 'grandchild').exists(): time.sleep(0.01)
be_ready(); signal.pause()"""
    async with supervisor:
        await supervisor.start(part(tmp_path, "parent", body))
    eventually(lambda: is_gone(int((tmp_path / "grandchild").read_text())))


async def test_nothing_is_started_after_a_stop_was_asked_for(tmp_path: Path, supervisor: Supervisor) -> None:
    async with supervisor:
        supervisor.ask_to_stop("test")
        with pytest.raises(StopAsked):
            await supervisor.start(part(tmp_path, "late"))
        assert supervisor.stop_flag.is_set()
    assert lines(tmp_path / "notes") == []


async def test_a_stop_does_not_wait_for_a_part_that_is_still_starting(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    async with supervisor:
        starting = asyncio.create_task(supervisor.start(part(tmp_path, "slow", "note('up'); signal.pause()")))
        await until(lambda: lines(tmp_path / "notes"))
        supervisor.ask_to_stop("test")
        with pytest.raises(StopAsked, match="slow"):
            await starting
    assert lines(tmp_path / "notes") == ["slow up", "slow stopped"]


async def test_a_second_request_kills_what_is_left(
    tmp_path: Path, supervisor: Supervisor, said: Said
) -> None:
    body = "signal.signal(signal.SIGTERM, lambda *_: note('heard')); be_ready()\nwhile True: signal.pause()"

    async def stack() -> int:
        async with supervisor:
            await supervisor.start(part(tmp_path, "stubborn", body, stop_seconds=60.0))
            await supervisor.wait()
            return supervisor.pids()["stubborn"]

    running = asyncio.create_task(stack())
    await until(lambda: said.has("stubborn: up"))
    supervisor.ask_to_stop("test")
    await until(lambda: lines(tmp_path / "notes") == ["stubborn heard"])
    supervisor.ask_to_stop("test")
    assert is_gone(await asyncio.wait_for(running, 5))


async def test_the_guard_is_replaced_when_it_is_killed_and_still_knows_every_part(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    others = {child.pid for child in guards()}
    async with supervisor:
        await supervisor.start(part(tmp_path, "first"))
        [guard] = [child for child in guards() if child.pid not in others]
        guard.kill()
        await asyncio.to_thread(guard.wait, 5)
        await supervisor.start(part(tmp_path, "second"))
        [other] = [child for child in guards() if child.pid not in others]
        assert other.pid != guard.pid


async def test_everything_a_part_prints_is_in_its_log(tmp_path: Path, supervisor: Supervisor) -> None:
    body = "print('out'); print('err', file=sys.stderr); print('x' * 200_000); be_ready(); signal.pause()"
    async with supervisor:
        await supervisor.start(
            part(
                tmp_path, "talker", "import sys\n" + body.replace("be_ready", "sys.stdout.flush(); be_ready")
            )
        )
    logged = (tmp_path / "talker.log").read_text().splitlines()
    assert set(logged) == {"out", "err", "x" * 200_000}
