"""What holds calls, in processes of its own: one broker, two gateways, two approvals workers, all kept running.

`python -m tests.faults.held_stack FOLDER` runs it in the foreground, as `sluicegate up` runs the whole.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.people import People
from benchmarks.processes import Child, free_port
from benchmarks.stack import READY_TIMEOUT_S
from sluicegate.cli.workers import command
from sluicegate.embedded.datadir import read_state
from sluicegate.embedded.part import DATA_PATH, Part
from sluicegate.embedded.probes import NotReady, Ready, http_ready
from sluicegate.embedded.up import EmbeddedBroker, up

GATEWAYS = ("gateway-0", "gateway-1")
WORKERS = ("approvals-0", "approvals-1")
BROKER = "kafka"
EXPIRES_SECONDS, BRIEF_SECONDS = 45, 6
HOLD = "reviewers: [owners], reason: the pod would be gone"
POLICY = f"""
default: deny
rules:
  - name: deletes
    when: tool.name == "delete_pod"
    hold: {{{HOLD}, expires: {EXPIRES_SECONDS}s}}
  - name: brief
    when: tool.name == "drain_node"
    hold: {{{HOLD}, expires: {BRIEF_SECONDS}s}}
"""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class HeldStack:
    """A running one. `urls`: of the same connection through each gateway; `audience`: of tokens for it."""

    data_dir: Path
    config: Path
    urls: tuple[str, ...]
    audience: str
    people: People

    def pids(self) -> dict[str, int]:
        """The parts' process ids by name, as of now."""
        return dict(read_state(self.data_dir).pids)

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return read_state(self.data_dir).bootstrap


@contextmanager
def holding(upstream: str, folder: Path) -> Iterator[HeldStack]:
    """Run it under `folder` until the block is left; `upstream` is the URL of an MCP server."""
    people, ports = People(folder), [free_port() for _ in GATEWAYS]
    public = f"http://127.0.0.1:{ports[0]}"
    (folder / "policy.yaml").write_text(POLICY)
    for name, port in zip(GATEWAYS, ports, strict=True):
        settings = _settings(upstream, folder, name, port) | {"identity": people.identity(public)}
        _config(folder, name).write_text(yaml.safe_dump(settings, sort_keys=False))
    run = [sys.executable, "-m", "tests.faults.held_stack", str(folder)]
    with Child("the stack", run, folder / "up.log", env={"NO_COLOR": "1"}) as child:
        child.wait_for(r"\bready\b", READY_TIMEOUT_S)
        urls = tuple(f"http://127.0.0.1:{port}/mcp/demo" for port in ports)
        yield HeldStack(folder / "var", _config(folder, GATEWAYS[0]), urls, urls[0], people)


def _config(folder: Path, name: str) -> Path:
    return folder / f"{name}.yaml"


def _settings(upstream: str, folder: Path, name: str, port: int) -> dict[str, Any]:
    connection = {
        "name": "demo",
        "kind": "mcp",
        "upstream": upstream,
        "policy": str(folder / "policy.yaml"),
        "access": {"groups": ["agents"]},
    }
    return {
        "data_dir": str(folder / "var"),
        "gateway": {"listen": f"127.0.0.1:{port}", "instance": name},
        "approvals": {
            "listen": f"127.0.0.1:{free_port()}",
            "wait": {"keep_alive": "1s", "stream": "2m", "calls_max": 500, "calls_by_caller_max": 50},
        },
        "kafka": {"bootstrap": "embedded"},
        "clickhouse": {"dsn": "embedded"},
        "connections": [connection],
    }


def main(folder: Path) -> int:
    """Until a signal; the exit code."""
    configs = {name: _config(folder, name) for name in GATEWAYS}
    settings = {name: yaml.safe_load(path.read_text()) for name, path in configs.items()}
    data_dir = folder / "var"
    workers = [_worker(configs[GATEWAYS[0]], data_dir, name, number) for number, name in enumerate(WORKERS)]
    gateways = [_gateway(name, configs[name], settings[name]["gateway"]["listen"]) for name in GATEWAYS]
    return asyncio.run(up(lambda _: [workers[:1], workers[1:], gateways], data_dir, broker=EmbeddedBroker()))


def _worker(config: Path, data_dir: Path, name: str, number: int) -> Part:
    argv = command(config, "processors", "--only", "approvals", "--worker", str(number))
    return Part(name, argv, _ready_by_file(data_dir / "run" / f"{name}.port"))


def _gateway(name: str, config: Path, listen: str) -> Part:
    return Part(name, command(config, "gateway"), http_ready(f"http://{listen}/readyz"), backoff=DATA_PATH)


def _ready_by_file(file: Path) -> Ready:
    """Ready when the port in `file` answers; that of an earlier process does not."""

    async def ready(timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                port = int(await asyncio.to_thread(file.read_text))
                return await http_ready(f"http://127.0.0.1:{port}/readyz")(min(left, 1.0))
            except (OSError, ValueError, NotReady):
                await asyncio.sleep(POLL_SECONDS)
        raise NotReady(f"{file} names nothing that is ready")

    return ready


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
