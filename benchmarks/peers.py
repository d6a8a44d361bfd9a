"""The peers, each told in its own config to forward MCP over Streamable HTTP to the stub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.processes import Child

START_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Peer:
    """A proxy that is ready to be started, and where it will listen."""

    child: Child
    port: int
    path: str

    @property
    def url(self) -> str:
        """Its MCP endpoint."""
        return f"http://127.0.0.1:{self.port}{self.path}"


_RUST_CONFIG = """\
[proxy]
name = "bench"
separator = "_"
[proxy.listen]
host = "127.0.0.1"
port = {port}
[[backends]]
name = "stub"
transport = "http"
url = "{upstream}"
[observability]
audit = false
log_level = "warn"
"""


def rust_proxy(program: Path, upstream: str, port: int, folder: Path) -> Peer:
    """The crate `mcp-proxy`: forwarding to `upstream`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mcp-proxy.toml"
    path.write_text(_RUST_CONFIG.format(port=port, upstream=upstream))
    command = [str(program), "--config", str(path)]
    return Peer(Child("mcp-proxy (Rust)", command, folder / "mcp-proxy.log"), port, "/")


def go_proxy(program: Path, upstream: str, port: int, folder: Path) -> Peer:
    """Hoop's `mcpproxyd` with one backend: forwarding to `upstream`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mcpproxyd.yaml"
    settings = {
        "listen": f"127.0.0.1:{port}",
        "inbound": {"mode": "anonymous"},
        "backends": {"stub": {"transport": "streamable-http", "url": upstream, "auth": "none"}},
    }
    path.write_text(yaml.safe_dump(settings))
    command = [str(program), "-config", str(path)]
    state = {"MCPPROXY_STATE_DIR": str(folder / "mcpproxyd-state")}
    return Peer(Child("mcpproxyd (hoop)", command, folder / "mcpproxyd.log", env=state), port, "/mcp")
