"""Ends the programs of a gateway that was killed: a child process that outlives it for a moment.

The gateway holds the writing end of the guard's stdin and tells which process groups live. When that pipe closes,
kill -9 included, the guard asks the groups that are left to end, and kills them after a grace. A program that sees
its own stdin close ends by itself; this is for those that do not, and for what they have started in turn.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 1.0
_POLL_SECONDS = 0.05


class Guard:
    """The gateway's side. Its process is started with the first group, and again should it die."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        """From now on the process group ends with the gateway."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group has ended; its number may be given to somebody else."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Ends the guard, and every group that is still watched."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(BrokenPipeError):
                process.communicate()

    def _tell(self, line: str) -> None:
        if self._process is None:
            self._start()  # tells every group, this one too
            return
        try:
            self._write(line)
        except BrokenPipeError:
            self.close()
            self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # no signal of a terminal may reach it
        )
        with contextlib.suppress(BrokenPipeError):  # it died at once: the next word starts another
            self._write("".join(f"+{group}\n" for group in self._groups))

    def _write(self, text: str) -> None:
        pipe = self._process.stdin if self._process else None
        if pipe is not None:
            pipe.write(text.encode())
            pipe.flush()


def signal_group(group: int, number: int) -> bool:
    """Sends a signal (0: none) to a process group; whether there was anybody to get it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # gone, or its number is somebody else's by now
        return False
    return True


def _end(groups: set[int]) -> None:
    for group in groups:
        signal_group(group, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while any(signal_group(group, 0) for group in groups) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def _main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        act = groups.add if line.startswith("+") else groups.discard
        act(int(line[1:]))
    _end(groups)


if __name__ == "__main__":
    _main()
