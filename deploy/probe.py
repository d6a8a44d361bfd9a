"""A container's health check: 0 when URL answers 200, or for tcp:// when the port accepts a connection.

python deploy/probe.py http://127.0.0.1:8080/readyz
"""

import http.client
import socket
import sys
from urllib.parse import urlsplit

SECONDS_MAX = 3.0


def fault(url: str) -> str:
    """Why `url` is not healthy, or ''."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    try:
        if parts.scheme == "tcp":
            socket.create_connection((host, port), SECONDS_MAX).close()
            return ""
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS_MAX)
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return "" if answer.status == 200 else f"{answer.status}: {answer.read(300).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(fault(sys.argv[1]) or 0)
