"""One operation on one side: directly at the API server, or through the gateway, with all else the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.install import Clients
from tests.kubernetes.versions import HERE

OPERATION_S = 30.0


@dataclass(frozen=True)
class Operation:
    """A shell line. `record`: verb and resource (or path) that the trail must tell; `masked`: the output must be;
    `sizes`: the output tells the sizes of what is masked."""

    group: str
    name: str
    run: str
    record: str
    masked: bool = False
    sizes: bool = False

    @property
    def changes(self) -> bool:
        """Whether it works in the namespace of its side; then names and versions differ between the sides."""
        return any(word in self.run for word in ("$NS", "$TWIN", "$CLIENT"))


@dataclass(frozen=True)
class Outcome:
    """What a client shows, and when it ran (seconds since the epoch)."""

    code: int
    output: str
    complaints: str
    began: float
    ended: float


def operations(only: str = "") -> list[Operation]:
    """The table, in its order; with `only`, those of this group, or whose name holds it."""
    groups = yaml.safe_load((HERE / "operations.yaml").read_text())
    found = [Operation(group["group"], **one) for group in groups for one in group["operations"]]
    return [one for one in found if only in (one.group, "") or only in one.name]


class Side:
    """`letter` is d (direct) or t (through): the end of its namespace and node."""

    def __init__(
        self, letter: str, kubeconfig: Path, folder: Path, clients: Clients, cluster: Cluster
    ) -> None:
        self.letter = letter
        self.namespace = f"twin-{letter}"
        self._folder = folder / letter / "work"
        shutil.copytree(HERE / "manifests", self._folder)
        self._environment = {
            "PATH": f"{clients.commands}:{os.environ['PATH']}",
            "HOME": str(folder / letter),
            "KUBECONFIG": str(kubeconfig),
            "NS": self.namespace,
            "TWIN": letter,
            "CLIENT": str(HERE / "client"),
            "POD_LOG": str(cluster.pod_log),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
        }

    def run(self, line: str, **environment: str) -> Outcome:
        """Runs a shell line to its end."""
        script = f"set -uo pipefail; . {HERE / 'helpers.sh'}; {line}"
        began = time.time()
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said, complained = process.communicate(timeout=OPERATION_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            said, complained = process.communicate()
            complained += b"\n(did not end in time)"
        return Outcome(process.returncode, _text(said), _text(complained), began, time.time())


def _text(output: bytes) -> str:
    return output.decode(errors="backslashreplace")
