"""The one directory that holds all state of an embedded stack, and who may use it.

data_dir/
├── kafka/       the broker's settings and records
├── clickhouse/  chDB
├── faust/       the processors' tables
├── logs/        what each part prints
└── run/         lock (held by the running stack), state.json (for other commands), parts.json
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from sluicegate.embedded.errors import DataDirError, DataDirInUse
from sluicegate.embedded.files import write_atomically

FREE_BYTES_MIN = 1024**3
FOLDERS = ("kafka", "clickhouse", "faust", "logs", "run", "keys")
NOT_COUNTED = frozenset({"lost+found"})
START_TOLERANCE_S = 2.0


@dataclass(frozen=True)
class RunState:
    """What runs on a data directory now, for commands in other processes.

    Args:
        bootstrap: the address of Kafka.
        ready: whether all parts were ready once.
        addresses: what people and clients may use, by name ("gateway": "http://127.0.0.1:8080").
        pids: process ids of the parts by name.
        pid, started: the process that runs the stack, and its start in seconds since the epoch.
    """

    bootstrap: str
    ready: bool = False
    addresses: Mapping[str, str] = field(default_factory=dict)
    pids: Mapping[str, int] = field(default_factory=dict)
    pid: int = field(default_factory=os.getpid)
    started: float = field(default_factory=lambda: psutil.Process().create_time())


class DataDir:
    """An open data directory: ours alone until `close`. Use `DataDir.open`, best as a `with` block."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self.kafka, self.clickhouse, self.faust, self.logs, self.run = (path / name for name in FOLDERS[:5])

    @classmethod
    def open(cls, path: Path, *, free_bytes_min: int = FREE_BYTES_MIN) -> DataDir:
        """Create or take over a data directory and lock it.

        Raises:
            DataDirInUse: another stack runs on it.
            DataDirError: it is somebody else's directory, cannot be used, or its disk is nearly full.
        """
        path = path.expanduser().absolute()
        try:
            _refuse_foreign(path)
            _make_folders(path)
            lock = _take_lock(path)
        except OSError as error:
            raise DataDirError(
                f"The data directory {path} cannot be used ({error}). Make it readable and writable for "
                f"user {os.geteuid()}, or choose another `data_dir`."
            ) from error
        opened = cls(path, lock)
        try:
            opened._check(free_bytes_min)
        except DataDirError:
            opened.close()
            raise
        return opened

    def write_state(self, state: RunState) -> None:
        """Publish what runs; readers see the old state or this one.

        Raises:
            DataDirError: the disk does not take it.
        """
        file = self.run / "state.json"
        try:
            write_atomically(file, json.dumps(asdict(state), indent=1))
        except OSError as error:
            raise DataDirError(f"{file} cannot be written ({error}). See that the disk has space.") from error

    def close(self) -> None:
        """Withdraw the state and let the next stack in."""
        (self.run / "state.json").unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> DataDir:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, free_bytes_min: int) -> None:
        try:
            for name in FOLDERS:
                _try_folder(self.path / name)
        except OSError as error:
            raise DataDirError(
                f"{error.filename or self.path} cannot be read and written ({error.strerror}). Give the whole "
                f"directory to user {os.geteuid()} (chown -R), or choose another `data_dir`."
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < free_bytes_min:
            raise DataDirError(
                f"The disk of {self.path} has {free / 1e9:.2f} GB free and {free_bytes_min / 1e9:.2f} GB are "
                "needed to start: a full disk would stop every call through the gateway. Free some space or "
                "choose a `data_dir` on another disk."
            )


def read_state(path: Path) -> RunState:
    """What runs on the data directory at `path`.

    Raises:
        DataDirError: nothing runs there, or it cannot be read.
    """
    file = path.expanduser().absolute() / "run" / "state.json"
    try:
        state = RunState(**json.loads(file.read_text()))
    except FileNotFoundError:
        raise _nothing_runs(path) from None
    except (OSError, ValueError, TypeError) as error:
        raise DataDirError(
            f"{file} cannot be read ({error}). Run this command as the user who runs `sluicegate up`; if the "
            "file is damaged, start the stack again."
        ) from error
    if not _is_alive(state):
        raise _nothing_runs(path)
    return state


def _nothing_runs(path: Path) -> DataDirError:
    return DataDirError(
        f"Nothing runs on the data directory {path}. Start it with `sluicegate up`, or name the right "
        "configuration with --config."
    )


def _is_alive(state: RunState) -> bool:
    try:
        return abs(psutil.Process(state.pid).create_time() - state.started) < START_TOLERANCE_S
    except psutil.Error:
        return False


def _refuse_foreign(path: Path) -> None:
    """A directory with other things in it is not ours to change the mode of."""
    if not path.exists() or (path / "run" / "lock").exists():
        return
    found = [name for name in os.listdir(path) if not name.startswith(".") and name not in NOT_COUNTED]
    if found and not set(found) <= set(FOLDERS):
        raise DataDirError(
            f"{path} holds other things ({', '.join(sorted(found)[:3])}). Name an empty or a new directory as "
            "`data_dir`: it becomes readable for its owner only."
        )


def _make_folders(path: Path) -> None:
    for folder in (path, *(path / name for name in FOLDERS)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) != 0o700:
            folder.chmod(0o700)


def _take_lock(path: Path) -> int:
    """Hold run/lock and write our pid into it. The system lets go of it when the process ends."""
    file = path / "run" / "lock"
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
        os.close(lock)
        raise DataDirInUse(
            f"Sluicegate already runs on {path} (process {holder or 'unknown'}). Use it as it is, stop it with "
            f"Ctrl-C or `kill {holder}`, or choose another `data_dir` for a second one."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _try_folder(folder: Path) -> None:
    """Do in the folder what the parts will do; permissions alone do not tell (root, read-only mounts)."""
    probe = folder / f".probe-{os.getpid()}-{time.monotonic_ns()}"
    probe.write_bytes(b"probe")
    try:
        probe.read_bytes()
        os.listdir(folder)
    finally:
        probe.unlink()
