"""What reaches the supervisor from outside: Ctrl-C, and kill -9 of it, of the guard, of both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from sluicegate.embedded.guard import Guard, group_lives
from sluicegate.embedded.leftovers import MARK, PidFile, end_leftovers
from sluicegate.embedded.say import say_nothing
from tests.embedded.waiting import eventually, is_gone, program

ALL = ("polite", "parent", "grandchild", "stubborn")


class Stack:
    """A running `tests.embedded.stack` and what it has said so far."""

    def __init__(self, *arguments: str) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.stack", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def until_said(self, text: str, timeout_s: float = 30.0) -> str:
        """Wait for a line that contains `text`, and give it."""
        eventually(lambda: any(text in line for line in self.said) or not self._reader.is_alive(), timeout_s)
        found = [line for line in self.said if text in line]
        assert found, f"ended without saying {text!r}:\n{''.join(self.said)}"
        return found[0]

    def wait(self, timeout_s: float = 20.0) -> int:
        """The exit code, once everything that it printed is in `said`."""
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def guard(self) -> int:
        """The process id of its guard."""
        children = psutil.Process(self.process.pid).children()
        return next(child.pid for child in children if "guard.py" in " ".join(child.cmdline()))

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            self.said.extend(lines)


@contextmanager
def stack(*arguments: str) -> Iterator[Stack]:
    """A stack that has surely ended when the block ends."""
    running = Stack(*arguments)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.wait()


def pids(here: Path) -> list[int]:
    return [int((here / f"{name}.pid").read_text()) for name in ALL]


def test_ctrl_c_stops_in_order_and_a_second_one_kills(tmp_path: Path) -> None:
    with stack(str(tmp_path), "parts") as running:
        running.until_said("ready\n")
        parts = pids(tmp_path)
        running.process.send_signal(signal.SIGINT)
        running.until_said("stubborn: stopping")
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGINT)
        assert running.wait() == 0
        assert "killing what is left" in "".join(running.said)
    assert all(map(is_gone, parts))


def test_kill_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with stack(str(tmp_path), "parts") as running:
        running.until_said("ready\n")
        parts = pids(tmp_path)
        assert not any(map(is_gone, parts))
        running.process.kill()
        eventually(lambda: all(map(is_gone, parts)), timeout_s=20)


def test_what_outlives_both_supervisor_and_guard_is_ended_by_the_next_start(tmp_path: Path) -> None:
    with stack(str(tmp_path), "parts") as running:
        running.until_said("ready\n")
        parts = pids(tmp_path)
        os.kill(parts[1], signal.SIGSTOP)  # a frozen one, too
        running.process.send_signal(signal.SIGSTOP)  # so that it starts no other guard
        guard = running.guard()
        os.kill(guard, signal.SIGKILL)
        running.process.kill()
        eventually(lambda: is_gone(running.process.pid) and is_gone(guard))
        assert not any(map(is_gone, parts))
        said: list[str] = []
        ended = end_leftovers(tmp_path / "parts.json", said.append, grace_s=0.5)
        assert ended == ["polite", "parent", "stubborn"]
        eventually(lambda: all(map(is_gone, parts)))
        assert "left behind" in said[0]
        assert not (tmp_path / "parts.json").exists()


def test_a_process_that_only_has_the_number_of_a_part_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(program(tmp_path, "stranger"), start_new_session=True)
    try:
        file = PidFile(tmp_path / "parts.json")
        file.write({"gateway": stranger.pid})
        text = (tmp_path / "parts.json").read_text()
        started = str(psutil.Process(stranger.pid).create_time())
        (tmp_path / "parts.json").write_text(text.replace(started, "1000.0"))
        assert end_leftovers(tmp_path / "parts.json", say_nothing) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_group_whose_leader_has_gone_is_known_by_its_mark(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "parts.json")
    body = "child = os.fork()\nif child: os._exit(0)\nbe_ready(); signal.pause()"
    leader = subprocess.Popen(
        program(tmp_path, "member", body), start_new_session=True, env={**os.environ, MARK: file.mark}
    )
    file.write({"gateway": leader.pid})
    leader.wait()
    eventually((tmp_path / "member.ready").exists)
    member = int((tmp_path / "member.pid").read_text())
    assert end_leftovers(tmp_path / "parts.json", say_nothing, grace_s=0.5) == ["gateway"]
    eventually(lambda: is_gone(member))


def test_a_damaged_file_of_an_earlier_run_is_said_and_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "parts.json").write_text('{"mark": "x", "parts": [')
    said: list[str] = []
    assert end_leftovers(tmp_path / "parts.json", said.append) == []
    assert "damaged" in said[0]


@pytest.mark.parametrize("polite", [True, False])
def test_the_guard_ends_a_group_whether_it_is_polite_or_not(tmp_path: Path, polite: bool) -> None:
    body = "be_ready(); signal.pause()"
    if not polite:
        body = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {body}"
    guard = Guard(grace_s=5.0 if polite else 0.2)
    process = subprocess.Popen(program(tmp_path, "child", body), start_new_session=True)
    guard.watch(process.pid)
    eventually((tmp_path / "child.ready").exists)
    closing = threading.Thread(target=guard.close)
    closing.start()
    assert process.wait(5) == (0 if polite else -signal.SIGKILL)
    closing.join(10)


def test_the_guard_leaves_a_forgotten_group_alone(tmp_path: Path) -> None:
    guard = Guard()
    process = subprocess.Popen(program(tmp_path, "child"), start_new_session=True)
    try:
        guard.watch(process.pid)
        eventually((tmp_path / "child.ready").exists)
        guard.forget(process.pid)
        guard.close()
        assert group_lives(process.pid)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
