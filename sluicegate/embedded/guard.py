"""The guard: a second process that ends the parts when the process that started them is gone.

The owner holds the writing end of a pipe and tells which process groups live. When the pipe closes, for
whatever reason, kill -9 included, the guard asks the groups that are left to stop, and kills them after a
grace. It runs in its own session, so that no terminal signal reaches it, and imports little: it must be
small and start at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

GRACE_S = 10.0
POLL_S = 0.05


class Guard:
    """The owner's side. Not for threads: one owner, one event loop."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._groups: set[int] = set()
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The guard's process id."""
        return self._process.pid

    def watch(self, group: int) -> None:
        """From now on process group `group` dies with the owner."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group has ended; its number may be given to somebody else."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the guard, and with it every group that is still watched."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(line.encode())
                pipe.flush()
        except BrokenPipeError:
            self._replace()

    def _replace(self) -> None:
        """The guard itself was killed: start another and tell it everything."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
        self._process = self._start()
        for group in self._groups:
            self._tell(f"+{group}\n")

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(self._grace_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def group_lives(group: int) -> bool:
    """Whether any process is in the group (a zombie that nobody reaped counts)."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it exists and became somebody else's
        return False
    return True


def signal_group(group: int, number: int) -> None:
    """Send a signal to a group; a group that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_groups(groups: set[int], grace_s: float) -> None:
    """Ask groups to stop, wait for up to `grace_s` seconds, kill what is left. Blocks."""
    for group in groups:
        signal_group(group, signal.SIGTERM)
    until = time.monotonic() + grace_s
    while any(map(group_lives, groups)) and time.monotonic() < until:
        time.sleep(POLL_S)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def _main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        act = groups.add if line.startswith("+") else groups.discard
        act(int(line[1:]))
    end_groups(groups, float(sys.argv[1]))


if __name__ == "__main__":
    _main()
