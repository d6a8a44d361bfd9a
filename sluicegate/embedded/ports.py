"""Ports: is one free, who has it, and which one to take."""

from __future__ import annotations

import random
import socket

import psutil

from sluicegate.embedded.errors import PortInUse

LOOPBACK = "127.0.0.1"
# Below the range that the usual kernels give to outgoing connections. A port out of that range can be lost
# while its owner restarts: to some connection, or to a client that connects to itself while it retries.
CHOICE = range(20_000, 32_000)


def tcp_port_free(host: str, port: int, what_to_change: str) -> None:
    """Return if a server could listen on `host`:`port` now.

    Raises:
        PortInUse: it could not; the message names the process that listens, if it may be seen,
            and `what_to_change`, for example "gateway.listen in the configuration".
    """
    if reason := _why_not(host, port):
        raise PortInUse(
            f"Cannot listen on {host}:{port}: {reason}{_holder(port)}. End that, or change {what_to_change}."
        )


def free_port(avoid: frozenset[int] = frozenset(), attempts: int = 200) -> int:
    """Choose a loopback port that nobody listens on and that no outgoing connection will take.

    Raises:
        PortInUse: none of `attempts` random ports was free.
    """
    for port in random.SystemRandom().sample(CHOICE, attempts):
        if port not in avoid and not _why_not(LOOPBACK, port):
            return port
    raise PortInUse(f"No free port found on {LOOPBACK} between {CHOICE.start} and {CHOICE.stop}.")


def _why_not(host: str, port: int) -> str:
    """Why a bind fails, or an empty string. Tried the way servers do it, with SO_REUSEADDR."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _holder(port: int) -> str:
    """` by NAME (process PID)`, or an empty string where the system does not tell."""
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr[1] == port and found.pid:
                return f", by {psutil.Process(found.pid).name()} (process {found.pid})"
    except psutil.Error:
        pass
    return ""
