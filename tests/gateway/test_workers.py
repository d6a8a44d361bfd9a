"""Several worker processes on one address: replaced when they die, gone when their parent is."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
import pytest

from gateway.workers import bound
from tests.embedded.waiting import eventually, is_gone

QUICK_S = 60.0


@dataclass
class Family:
    """A parent process and the workers that have answered."""

    parent: subprocess.Popen[str]
    port: int
    seen: dict[int, int] = field(default_factory=dict)  # worker number → the process id seen last

    def ask(self) -> None:
        """One connection; remembers who answered."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            number, pid = connection.makefile().readline().split()
            self.seen[int(number)] = int(pid)

    def until(self, fact: Callable[[], bool]) -> None:
        """Asks until `fact` holds. Raises AssertionError when it never does."""

        def asked() -> bool:
            self.ask()
            return fact()

        eventually(asked, QUICK_S)


@pytest.fixture
def family() -> Iterator[Family]:
    """A parent with two workers, both of which have answered."""
    command = [sys.executable, "-m", "tests.gateway.numbered", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        made = Family(parent, int(parent.stdout.readline()))
        try:
            made.until(lambda: set(made.seen) == {0, 1})
            yield made
        finally:
            parent.kill()
            for pid in made.seen.values():
                with suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).kill()


def gone(pids: set[int]) -> bool:
    return all(is_gone(pid) for pid in pids)


def test_a_worker_that_is_killed_is_replaced_under_its_number_and_the_other_goes_on(family: Family) -> None:
    killed, other = family.seen[0], family.seen[1]
    psutil.Process(killed).kill()
    family.until(lambda: family.seen[0] != killed)
    assert family.seen[1] == other
    assert not gone({family.seen[0], other})


def test_no_worker_outlives_a_parent_that_is_killed(family: Family) -> None:
    workers = set(family.seen.values())
    family.parent.kill()
    family.parent.wait()
    eventually(lambda: gone(workers), QUICK_S)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_parent_that_is_told_to_stop_stops_its_workers_first(family: Family, sign: signal.Signals) -> None:
    family.parent.send_signal(sign)
    assert family.parent.wait(QUICK_S) == 0
    assert gone(set(family.seen.values()))


def test_an_address_that_is_taken_is_told_before_any_worker_starts() -> None:
    with bound("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        bound("127.0.0.1", taken.getsockname()[1])
