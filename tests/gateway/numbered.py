"""Workers that tell who they are: `python -m tests.gateway.numbered COUNT` prints its port, then serves.

Each connection is answered with the worker's number and process id, and closed.
"""

from __future__ import annotations

import os
import socket
import sys

from gateway.workers import Workers, bound


def serve(number: int, listening: socket.socket) -> None:
    """One worker: answers until it is ended."""
    listening.setblocking(True)
    while True:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(f"{number} {os.getpid()}\n".encode())


if __name__ == "__main__":
    listener = bound("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    Workers(serve, int(sys.argv[1]), listener).run()
