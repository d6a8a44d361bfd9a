"""Worker processes that come and go: for the rebalance tests and the chaos run."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from sluicegate.embedded.guard import Guard

STOP_SECONDS = 40.0

Arguments = Callable[[Path], list[str]]
"""The `python -m` arguments of a worker whose own directory is given."""


class Fleet:
    """At most `size` workers, one a slot with a directory of its own. They die with the test process."""

    def __init__(self, root: Path, arguments: Arguments, size: int, random: Random) -> None:
        self.done: Counter[str] = Counter()
        self._root = root
        self._arguments = arguments
        self._size = size
        self._random = random
        self._guard = Guard()
        self._living: dict[int, subprocess.Popen[bytes]] = {}
        self._ending: dict[int, subprocess.Popen[bytes]] = {}
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        left = [*self._living.values(), *self._ending.values()]
        for process in left:
            process.terminate()
        for process in left:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._guard.close()

    def alive(self) -> int:
        """How many workers run. Those that ended by themselves are counted in `done`, by exit code."""
        for slot, process in list(self._living.items()):
            if process.poll() is not None:
                self.done[f"exit {process.returncode}"] += 1
                self._forget(self._living.pop(slot))
        for slot, process in list(self._ending.items()):
            if process.poll() is not None:
                self.done[f"ended {process.returncode}"] += 1
                self._forget(self._ending.pop(slot))
        return len(self._living)

    def ending(self) -> int:
        """How many workers were sent a signal and still run."""
        self.alive()
        return len(self._ending)

    def add(self) -> bool:
        """Start a worker in a free slot; False when none is free yet."""
        self.alive()
        free = sorted(set(range(self._size)) - self._living.keys() - self._ending.keys())
        if not free:
            return False
        slot = self._random.choice(free)
        home = self._root / f"slot-{slot}"
        home.mkdir(parents=True, exist_ok=True)
        self._started += 1
        self.done["add"] += 1
        with (self._root / f"worker-{self._started:03}-slot-{slot}.log").open("wb") as log:
            self._living[slot] = subprocess.Popen(
                [sys.executable, "-m", *self._arguments(home)],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._guard.watch(self._living[slot].pid)
        return True

    def signal_one(self, signum: signal.Signals) -> None:
        """Send a signal to one worker, which is counted out from now on."""
        slot = self._random.choice(sorted(self._living))
        process = self._living.pop(slot)
        process.send_signal(signum)
        self._ending[slot] = process
        self.done[signum.name] += 1

    def stop(self) -> None:
        """Ask one worker to stop."""
        self.signal_one(signal.SIGTERM)

    def kill(self) -> None:
        """Kill one worker."""
        self.signal_one(signal.SIGKILL)

    def homes(self) -> list[Path]:
        """The directories of the living workers."""
        return [self._root / f"slot-{slot}" for slot in self._living]

    def logged(self) -> Iterable[dict[str, object]]:
        """Every JSON line that workers have logged so far."""
        for path in sorted(self._root.glob("worker-*.log")):
            for line in path.read_text("utf-8", "replace").splitlines():
                if line.startswith("{"):
                    yield json.loads(line)

    def generations(self) -> int:
        """Rebalances so far: the group's generation, as the workers were told."""
        told = (row.get("generation", 0) for row in self.logged() if row["event"] == "partitions_assigned")
        return max((int(str(number)) for number in told), default=0)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        self._guard.forget(process.pid)
