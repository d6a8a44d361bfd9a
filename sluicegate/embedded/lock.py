"""The lock file: which jars make the broker, and the SHA-256 that each must have."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluicegate.embedded.errors import LockFileError

LOCK_FILE = Path(__file__).with_name("kafka.lock")


@dataclass(frozen=True)
class LockedJar:
    """One jar: its coordinate `group:artifact:version`, its size and its SHA-256 in hex."""

    coordinate: str
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """The name in the cache. The group is in it: two groups may use one artifact name."""
        return self.coordinate.replace(":", "-") + ".jar"


@dataclass(frozen=True)
class JarLock:
    """All jars of one broker version, in the order of the class path."""

    kafka: str
    jars: tuple[LockedJar, ...]

    @property
    def size_bytes(self) -> int:
        """What a first download takes."""
        return sum(jar.size_bytes for jar in self.jars)


def read_lock(path: Path = LOCK_FILE) -> JarLock:
    """Read a lock file.

    Raises:
        LockFileError: it is missing, not TOML, or lacks a field.
    """
    try:
        return _lock_of(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LockFileError(
            f"The lock file of the broker's jars, {path}, cannot be used ({error!r}). "
            "It is part of the installation: install Sluicegate again."
        ) from error


def _lock_of(table: dict[str, Any]) -> JarLock:
    jars = tuple(LockedJar(row["jar"], int(row["bytes"]), row["sha256"]) for row in table["jars"])
    return JarLock(kafka=table["kafka"], jars=jars)


def lock_text(lock: JarLock) -> str:
    """The lock file's text; the inverse of `read_lock`."""
    head = (
        "# Which jars the embedded broker consists of. Written by `python -m sluicegate.embedded.relock`.\n"
        f'kafka = "{lock.kafka}"\n'
    )
    rows = (
        f'\n[[jars]]\njar = "{jar.coordinate}"\nbytes = {jar.size_bytes}\nsha256 = "{jar.sha256}"\n'
        for jar in lock.jars
    )
    return head + "".join(rows)
