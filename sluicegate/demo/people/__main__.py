"""The demo's provider as a process: `python -m sluicegate.demo.people --port 9001 --data-dir var/people`.

Prints one line with its URL when it accepts connections. Port 0 takes a free one. Loopback only.
"""

import argparse
import asyncio
import contextlib
import os
import socket
from pathlib import Path
from typing import Final

import uvicorn

from sluicegate.demo.people.app import people_app
from sluicegate.demo.people.errors import UnusableFileError

HOST: Final = "127.0.0.1"
RESOURCE: Final = "http://127.0.0.1:8080/mcp/demo"


async def serve(port: int, data_dir: Path, resource: str, console: str) -> None:
    """Serve until a signal ends it. Raises OSError, UnusableFileError."""
    with socket.create_server((HOST, port)) as listener:
        issuer = f"http://{HOST}:{listener.getsockname()[1]}"
        app = people_app(issuer, data_dir, resource, console=console)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        print(f"demonstration of an identity provider on {issuer}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sluicegate.demo.people", description="the demo's identity provider"
    )
    parser.add_argument("--port", type=int, default=9001, help="0 takes a free one; it is printed")
    parser.add_argument("--data-dir", type=Path, required=True, help="where its key and clients are kept")
    parser.add_argument("--resource", default=RESOURCE, help="URL of the connection that tokens are for")
    parser.add_argument("--console", default="", help="URL where people decide on held calls")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve(options.port, options.data_dir, options.resource, options.console))
        except OSError as error:
            parser.exit(1, f"port {options.port} or {options.data_dir} cannot be used: {_why(error)}\n")
        except UnusableFileError as error:
            parser.exit(1, f"{error}\n")


def _why(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else os.strerror(error.errno or 0)


if __name__ == "__main__":
    main()
