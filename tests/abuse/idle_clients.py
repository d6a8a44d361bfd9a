"""Opens connections to a port of this machine and holds them until its input ends: `idle_clients.py PORT COUNT`."""

from __future__ import annotations

import socket
import sys


def main(port: int, count: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    print(len(held), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
