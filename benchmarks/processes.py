"""Child processes of a measurement: started with a log file, waited for by what they say, stopped surely."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType

import psutil

STOP_TIMEOUT_S = 30.0
POLL_S = 0.05


class ChildError(RuntimeError):
    """A child process did not start, or ended early. The text has the end of its log."""


class Child:
    """One process in its own group, its output in a log file. Leaving the block stops it and its descendants."""

    def __init__(
        self,
        name: str,
        command: list[str],
        log: Path,
        *,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        """Prepare `command`; nothing runs before the block is entered. `env` is added to the environment."""
        self.name = name
        self.command = command
        self.log = log
        self.cwd = cwd
        self.env = env or {}
        self.left_behind: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env={**os.environ, **self.env},
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id; raises ChildError when nothing runs."""
        return self._running().pid

    def tree(self) -> list[psutil.Process]:
        """This process and all its descendants that are alive."""
        try:
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def wait_for(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """Return the first match of `pattern` in the log; ChildError on an early end or after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            # Looked at before the log is read, so that the last words of a process that ends are still seen.
            ended = self._running().poll() is not None
            if found := re.search(pattern, self.log.read_text(errors="replace"), re.MULTILINE):
                return found
            if ended:
                raise ChildError(self._last_words("ended early"))
            time.sleep(POLL_S)
        raise ChildError(self._last_words(f"said nothing like {pattern!r} within {timeout_s:.0f} s"))

    def wait_for_port(self, port: int, timeout_s: float) -> None:
        """Return when 127.0.0.1:`port` accepts; raises ChildError on an early end or after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._running().poll() is not None:
                raise ChildError(self._last_words("ended early"))
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(POLL_S)
        raise ChildError(self._last_words(f"does not listen on port {port} after {timeout_s:.0f} s"))

    def wait_for_ok(self, url: str, timeout_s: float) -> None:
        """Return when `url` answers 200; ChildError on an early end or after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        answer = "no answer"
        while time.monotonic() < deadline:
            if self._running().poll() is not None:
                raise ChildError(self._last_words("ended early"))
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except OSError as error:  # refused, or any status but 2xx
                answer = str(error)
            time.sleep(POLL_S)
        raise ChildError(self._last_words(f"answers {answer} on {url} after {timeout_s:.0f} s"))

    def stop(self) -> None:
        """SIGTERM, then SIGKILL; what outlives the process is killed by its id and named in `left_behind`."""
        process = self._process
        if process is None:
            return
        family = self.tree()[1:]
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.left_behind.append(f"{self.name} itself, {STOP_TIMEOUT_S:.0f} s after SIGTERM")
            process.kill()
            process.wait()
        self._process = None
        self._kill_survivors(family)

    def _kill_survivors(self, family: list[psutil.Process]) -> None:
        _, alive = psutil.wait_procs(family, timeout=2)
        for survivor in alive:
            self.left_behind.append(f"pid {survivor.pid}")
            survivor.kill()
        psutil.wait_procs(alive, timeout=5)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ChildError(f"{self.name} is not running")
        return self._process

    def _last_words(self, what: str) -> str:
        tail = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{self.name} {what}; the end of {self.log}:", *(f"  {line}" for line in tail)])


def free_port() -> int:
    """A TCP port that nobody listened on a moment ago; for programs that cannot be told to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop_on_sigterm() -> None:
    """Turn SIGTERM into KeyboardInterrupt, so that every block's exit runs and stops what it started."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def cache_dir(part: str) -> Path:
    """The folder for what `part` downloads or builds, outside the checkout; made when missing."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "sluicegate" / part
    folder.mkdir(parents=True, exist_ok=True)
    return folder
