"""The guide docs/how-to/kubernetes.md, line by line on a real cluster: its files are written, its commands run.

What differs from the guide is what is a reader's own: the names of gateway and provider, and the API server's URL.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.people import ISSUER, People
from benchmarks.processes import Child, free_port
from benchmarks.stack import COMMAND, READY_TIMEOUT_S
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.gateway import AUDIENCE

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "kubernetes.md"
STEP_S = 120.0
UP_AFTER = "sluicegate policy check"  # the step after which the guide says to run `sluicegate up`
EXPECTED = (
    ("kubectl auth whoami", r"Username +ann@example\.com\nGroups +\[sre system:authenticated\]"),
    ("kubectl get pods --all", r"prod +web-"),
    ("sluicegate frames", r"response +list +pods \* +200 +completed"),
    (
        "upstream_user, http_status FROM",
        r"ann@example\.com +list +pods \* +system:serviceaccount:\S+ +200",
    ),
    ("kubectl delete configmap", r"kube-system is changed by those who run the cluster"),
    ("reason_code, reason FROM", r"policy_denied +not executed: denied by policy: "),
    ("kubectl get secrets", r"Not executed yet: it waits for a person's approval"),
)


@dataclass(frozen=True)
class Block:
    """One fenced block: `kind` is what stands behind the fence."""

    kind: str
    text: str

    @property
    def file(self) -> str:
        """The name of the file that it is, '' when it is none."""
        named = re.match(r"# ([\w.-]+\.yaml)\n", self.text)
        return named[1] if named else ""


def blocks(text: str) -> list[Block]:
    """All of a guide."""
    return [Block(kind, body) for kind, body in re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)]


def run(bench: Bench) -> Findings:
    """All that the guide says, in order."""
    folder, findings = bench.folder / "guide", Findings()
    folder.mkdir(parents=True)
    reader = _Reader(bench.cluster, folder, findings)
    try:
        for block in blocks(reader.told(GUIDE.read_text("utf-8"))):
            reader.does(block)
    finally:
        reader.close()
    missing = [command for command, _ in EXPECTED if command not in reader.done]
    findings.check(not missing, f"these are expected and no longer in the guide: {missing}")
    return findings


class _Reader:
    """Somebody who does what the guide says, in `folder`."""

    def __init__(self, cluster: Cluster, folder: Path, findings: Findings) -> None:
        self.done = ""
        self._cluster = cluster
        self._findings = findings
        self._folder = folder
        self._port = free_port()
        self._people = People(folder / "people")
        self._up: Child | None = None
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "sluicegate").symlink_to(Path(COMMAND[0]).with_name("sluicegate"))
        self._environment = {
            "PATH": f"{bin_folder}:{cluster.clients.commands}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECONFIG": str(cluster.kubeconfig),
            "SLUICEGATE_TOKEN": self._people.token(AUDIENCE, "ann@example.com", "sre"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "400",
        }

    def told(self, text: str) -> str:
        """The guide with what is the reader's own."""
        text = text.replace("gateway.example.com:8443", f"localhost:{self._port}")
        text = text.replace("gateway.example.com", "localhost")
        text = text.replace('"0.0.0.0:8443"', f'"127.0.0.1:{self._port}"')
        text = text.replace("https://10.0.0.1:6443", self._cluster.url)
        jwks = f'issuer: "{ISSUER}", jwks_file: {self._people.jwks_file}'
        return text.replace('issuer: "https://id.example.com/"', jwks)

    def does(self, block: Block) -> None:
        """Writes a file, or runs commands and looks at what they say."""
        if block.kind == "yaml" and block.file:
            (self._folder / block.file).write_text(self._own_ports(block))
        if block.kind != "sh":
            return
        done = self._run(block.text)
        self.done += block.text
        first, said = block.text.partition("\n")[0], f"{done.stdout}{done.stderr}"
        self._findings.check(done.returncode == 0, f"{first}: ended with {done.returncode}: {said}")
        for command, pattern in EXPECTED:
            if command in block.text:
                like = re.search(pattern, said) is not None
                self._findings.check(like, f"{command}: says nothing like {pattern}: {said}")
        if UP_AFTER in block.text:
            self._start()

    def close(self) -> None:
        """Ends the gateway."""
        if self._up is not None:
            self._up.stop()

    def _own_ports(self, block: Block) -> str:
        """The other addresses of the stack are fixed by default, and may be taken here."""
        if block.file != "sluicegate.yaml":
            return block.text
        ports = "".join(
            f'{part}: {{listen: "127.0.0.1:{free_port()}"}}\n' for part in ("console", "approvals")
        )
        return f"{block.text}{ports}"

    def _start(self) -> None:
        self._up = Child(
            "sluicegate up",
            [*COMMAND, "up"],
            self._folder / "up.log",
            cwd=self._folder,
            env={"NO_COLOR": "1"},
        )
        self._up.__enter__()
        self._up.wait_for(r"\bready\b", READY_TIMEOUT_S)

    def _run(self, script: str) -> subprocess.CompletedProcess[str]:
        """In one shell after the other, so that only `export` of KUBECONFIG goes on."""
        exported = re.search(r"export KUBECONFIG=(\S+)", script)
        if exported:
            self._environment["KUBECONFIG"] = str(self._folder / exported[1])
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            timeout=STEP_S,
            capture_output=True,
            text=True,
            check=False,
        )
