"""The server under the suite: the "everything" server that the Python SDK's own source release carries.

Taken from the source release of exactly the installed `mcp` version, into the cache directory, and run
unmodified. It is served by uvicorn with h11: with httptools a header keeps its trailing blanks, and the
suite's check of them would then fail directly and prove nothing about a proxy.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import uvicorn

from benchmarks.processes import Child, cache_dir

DOWNLOAD_TIMEOUT_S = 300.0
START_TIMEOUT_S = 60.0
LISTENING = r"^listening on (?P<port>\d+)$"


class FixtureError(RuntimeError):
    """The SDK's source release could not be had or is not as expected. Says what to do."""


def source() -> Path:
    """The folder that holds the package `mcp_everything_server`, downloaded when missing."""
    version = importlib.metadata.version("mcp")
    folder = cache_dir("conformance") / f"mcp-{version}"
    server = folder / "examples" / "servers" / "everything-server"
    if not (server / "mcp_everything_server" / "server.py").is_file():
        print(f"» fetching the source release of mcp {version} for its everything server", flush=True)
        _download(version, folder.parent)
    if not (server / "mcp_everything_server" / "server.py").is_file():
        raise FixtureError(f"mcp {version} carries no everything server: pin a release that does")
    return server


def _download(version: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", "mcp", "-d", str(folder), f"mcp=={version}"]
    done = subprocess.run(command, timeout=DOWNLOAD_TIMEOUT_S, check=False)
    archive = folder / f"mcp-{version}.tar.gz"
    if done.returncode != 0 or not archive.is_file():
        raise FixtureError(f"pip could not download the source release of mcp {version}: see its words above")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


def child(log: Path) -> Child:
    """A process that serves the everything server on a free port; `LISTENING` finds the port in its log."""
    command = [sys.executable, "-m", "tests.conformance.fixture", "--source", str(source())]
    return Child("everything server", command, log)


def serve_on_free_port(app: Any) -> None:
    """Serve an ASGI application on a free loopback port, said on stdout for `LISTENING`, until SIGTERM."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"listening on {listener.getsockname()[1]}", flush=True)
    settings = uvicorn.Config(app, http="h11", log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(settings).run([listener])


def main() -> None:
    """Serve the everything server from `--source`."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.fixture", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder that holds mcp_everything_server")
    sys.path.insert(0, str(parser.parse_args().source))
    everything = importlib.import_module("mcp_everything_server.server")
    app = everything.mcp.streamable_http_app(event_store=everything.event_store, retry_interval=100)
    serve_on_free_port(app)


if __name__ == "__main__":
    main()
