"""Processes that an earlier supervisor left behind: known by a file, ended before anything starts.

The guard ends them when the supervisor is killed. This is for the case that both were.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import psutil

from sluicegate.embedded.files import write_atomically
from sluicegate.embedded.guard import end_groups, group_lives
from sluicegate.embedded.say import Say

MARK = "SLUICEGATE_RUN"
"""Name of the environment variable that every part and its children carry."""

START_TOLERANCE_S = 2.0
GRACE_S = 10.0


class PidFile:
    """Which process groups this run has started, and the mark that they carry."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.mark = secrets.token_hex(8)

    def write(self, pids: Mapping[str, int]) -> None:
        """Replace the file's content; `pids` are the parts' group leaders by name."""
        parts = {name: {"pid": pid, "started": _started(pid)} for name, pid in pids.items()}
        write_atomically(self._path, json.dumps({"mark": self.mark, "parts": parts}))

    def remove(self) -> None:
        """Nothing of this run is left."""
        self._path.unlink(missing_ok=True)


def end_leftovers(path: Path, say: Say, grace_s: float = GRACE_S) -> list[str]:
    """End what the run that wrote `path` has left; give the names of the parts. Blocks.

    A number that has gone to another process is recognised by its start time and left alone.
    """
    try:
        run = json.loads(path.read_text())
        left = {name: part["pid"] for name, part in run["parts"].items() if _is_left(part, run["mark"])}
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError):
        say(f"{path} is damaged; if parts of an earlier run are still alive, end them by hand")
        left = {}
    if left:
        say(f"ending what an earlier run left behind: {', '.join(f'{n} ({p})' for n, p in left.items())}")
        end_groups(set(left.values()), grace_s)
    path.unlink(missing_ok=True)
    return list(left)


def _started(pid: int) -> float:
    """When the process was started, in seconds since the epoch; 0 if it has gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _is_left(part: Mapping[str, float], mark: str) -> bool:
    """Whether the group's leader lives, or another of its members that carries the run's mark."""
    group = int(part["pid"])
    if not group_lives(group):
        return False
    if psutil.pid_exists(group):
        return abs(_started(group) - part["started"]) < START_TOLERANCE_S
    return any(_carries(pid, group, mark) for pid in psutil.pids())


def _carries(pid: int, group: int, mark: str) -> bool:
    try:
        return os.getpgid(pid) == group and psutil.Process(pid).environ().get(MARK) == mark
    except (OSError, psutil.Error):
        return False
