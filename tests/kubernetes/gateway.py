"""`sluicegate up` before the cluster: TLS, tokens of a provider, the rules of `policy.yaml`, the embedded store."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from benchmarks.people import People
from benchmarks.processes import Child, ChildError, free_port
from benchmarks.stack import COMMAND, CONFIG_NAME, READY_TIMEOUT_S, config
from console.terminal import terminal_name
from sluicegate.settings import load
from sluicegate.settings.parts import kafka_address
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.kubeconfig import by_token
from tests.kubernetes.versions import HERE
from tests.support.certificates import Authority

CONNECTION, TOOLS = "cluster", "tools"
CLUSTER_NAME = "test-cluster"
AUDIENCE = "sluicegate"
COMMAND_S = 60.0


@dataclass(frozen=True)
class Gateway:
    """A running one; `ca` vouches for it."""

    public_url: str
    ca: Path
    folder: Path
    people: People

    @property
    def url(self) -> str:
        """Where clients of Kubernetes point."""
        return f"{self.public_url}/k8s/{CONNECTION}"

    @property
    def settings_file(self) -> Path:
        """What it runs by."""
        return self.folder / CONFIG_NAME

    @property
    def bootstrap(self) -> str:
        """The address of its broker."""
        return kafka_address(load(self.settings_file)).bootstrap

    def token(self, subject: str, *groups: str) -> str:
        """What its provider gives somebody."""
        return self.people.token(AUDIENCE, subject, *groups)

    def kubeconfig(self, subject: str, *groups: str) -> Path:
        """A client of it, with a token of this subject."""
        path = self.folder / "kubeconfig" / subject
        return by_token(path, self.url, self.ca, self.token(subject, *groups))

    def command(self, *arguments: str) -> str:
        """What the command `sluicegate` prints, of this gateway's settings. Raises ChildError."""
        command = [*COMMAND, *arguments, "--config", str(self.settings_file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)
        if done.returncode != 0:
            raise ChildError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the store. Raises ChildError."""
        lines = self.command("query", "--json", sql).splitlines()
        return [msgspec.json.decode(line) for line in lines]


@contextmanager
def running(
    cluster: Cluster,
    folder: Path,
    mcp_server: str | None = None,
    policy: str = "policy.yaml",
    *,
    alone: str = "",
    **kafka: object,
) -> Iterator[Gateway]:
    """Runs it until the block ends; with the MCP server at `mcp_server` behind a connection of its own. `alone`: the
    gateway and nothing behind it, on the broker of this address.

    Raises ChildError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    public_url = f"https://localhost:{port}"
    authority = Authority(folder)
    gateway = Gateway(public_url, authority.ca, folder, People(folder / "people"))
    settings = _settings(cluster, gateway, port, mcp_server, HERE / policy, kafka)
    pair = authority.issue("localhost")
    settings["gateway"]["tls"] = {"certificate_file": str(pair.certificate), "key_file": str(pair.key)}
    gateway.settings_file.write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [*COMMAND, "up", "--config", str(gateway.settings_file)]
    if alone:
        command = [sys.executable, "-m", "benchmarks.alone", "--bootstrap", alone]
        command += ["--config", str(gateway.settings_file)]
    with Child(
        "sluicegate", command, folder / "up.log", cwd=None if alone else folder, env={"NO_COLOR": "1"}
    ) as child:
        child.wait_for(r"approvals_caught_up" if alone else r"\bready\b", READY_TIMEOUT_S)
        child.wait_for_port(port, READY_TIMEOUT_S)
        _until_ready(gateway)
        yield gateway


def _until_ready(gateway: Gateway) -> None:
    """Until it would record. Raises ChildError."""
    trusted = ssl.create_default_context(cafile=str(gateway.ca))
    deadline, told = time.monotonic() + READY_TIMEOUT_S, "nothing"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{gateway.public_url}/readyz", timeout=2, context=trusted):
                return
        except OSError as error:
            told = str(error)
        time.sleep(0.1)
    raise ChildError(f"the gateway is not ready: {told}")


def _settings(
    cluster: Cluster,
    gateway: Gateway,
    port: int,
    mcp_server: str | None,
    policy: Path,
    kafka: Mapping[str, object],
) -> dict[str, Any]:
    settings: dict[str, Any] = config({}, port, gateway.folder, dict(kafka))
    settings["identity"] = _identity(gateway)
    settings["gateway"]["limits"] = {"response_bytes_max": 64 * 1024 * 1024}
    rules = re.sub(r"TERMINAL", f"terminal:{terminal_name()}", policy.read_text())
    own = gateway.folder / "policy.yaml"
    own.write_text(rules)
    settings["connections"] = [
        {
            "name": CONNECTION,
            "kind": "kubernetes",
            "cluster": CLUSTER_NAME,
            "kubeconfig": {"file": str(cluster.kubeconfig)},
            "policy": str(own),
            "connections_max": 1_000,
        }
    ]
    if mcp_server is not None:
        settings["connections"].append(_tools(mcp_server))
    return settings


def _identity(gateway: Gateway) -> dict[str, Any]:
    identity: dict[str, Any] = gateway.people.identity(gateway.public_url)
    identity["issuers"][0]["audiences"] = [AUDIENCE]
    return identity | {"session_tokens": {}}


def _tools(mcp_server: str) -> dict[str, Any]:
    """The MCP server calls the cluster as whoever called it, and says by whose call."""
    own = {"kind": "session_token", "connection": CONNECTION}
    return {"name": TOOLS, "upstream": mcp_server, "credential": own, "trace_user_agent": True}
