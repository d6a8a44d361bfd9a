"""`sluicegate up` for a measurement: a config on free ports in a folder of its own, waited for, stopped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from benchmarks.guard import Guard
from benchmarks.processes import Child, ChildError, free_port

COMMAND = (sys.executable, "-m", "sluicegate")
CONFIG_NAME = "sluicegate.yaml"
QUERY_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 300.0  # the first start on a machine downloads the broker


class State(msgspec.Struct):
    """What the stack tells of itself in `run/state.json`; the rest of that file is not wanted here."""

    bootstrap: str
    pids: dict[str, int]


@dataclass(frozen=True)
class Stack:
    """A running stack: its process tree, the gateway's port and where it keeps its files."""

    child: Child
    port: int
    folder: Path

    def url(self, connection: str) -> str:
        """The downstream URL of one connection."""
        return f"http://127.0.0.1:{self.port}/mcp/{connection}"

    def frames_stored(self) -> int:
        """Frames that a reader sees in ClickHouse now, asked as any analyst would; raises ChildError."""
        config = str(self.folder / CONFIG_NAME)
        query = [*COMMAND, "query", "--json", "--config", config, "SELECT count() AS frames FROM v_frames"]
        done = subprocess.run(query, capture_output=True, timeout=QUERY_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise ChildError(f"the store could not be asked: {done.stderr.decode(errors='replace').strip()}")
        frames: int = msgspec.json.decode(done.stdout)["frames"]
        return frames

    def state(self) -> State:
        """Kafka's address and the parts' process ids by name, as of now."""
        return msgspec.json.decode((self.folder / "var" / "run" / "state.json").read_bytes(), type=State)


def config(upstreams: dict[str, str], port: int, folder: Path, kafka: dict[str, object]) -> dict[str, object]:
    """The config that the outside sees: one MCP connection for each of `upstreams` (name to URL)."""
    return {
        "data_dir": str(folder / "var"),
        "gateway": {"listen": f"127.0.0.1:{port}", "workers": 1},
        "console": {"listen": f"127.0.0.1:{free_port()}"},
        "approvals": {"listen": f"127.0.0.1:{free_port()}"},
        "kafka": {"bootstrap": "embedded", **kafka},
        "clickhouse": {"dsn": "embedded"},
        "identity": {"mode": "none"},
        "connections": [{"name": name, "kind": "mcp", "upstream": url} for name, url in upstreams.items()],
    }


@contextmanager
def running(
    upstreams: dict[str, str],
    folder: Path,
    kafka: dict[str, object] | None = None,
    *,
    guarded: Guard | None = None,
) -> Iterator[Stack]:
    """Run `sluicegate up` under `folder` until the block is left; yields when it says `ready`.

    `upstreams` is connection name to URL; `kafka` is added to the config's section of that name; `guarded` puts
    identity, policy and quotas before every connection.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    path = folder / CONFIG_NAME
    settings = config(upstreams, port, folder, kafka or {})
    if guarded is not None:
        settings = guarded.added(settings, f"http://127.0.0.1:{port}")
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [*COMMAND, "up", "--config", str(path)]
    child = Child("sluicegate up", command, folder / "up.log", cwd=folder, env={"NO_COLOR": "1"})
    with child:
        child.wait_for(r"\bready\b", READY_TIMEOUT_S)
        child.wait_for_port(port, 10)
        yield Stack(child, port, folder)
    if child.left_behind:
        print(f"! sluicegate up left processes behind, killed: {', '.join(child.left_behind)}", flush=True)
