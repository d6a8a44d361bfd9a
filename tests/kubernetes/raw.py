"""A request sent as it is written, byte for byte, with the admin's certificate; libraries would tidy it up."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.kubernetes.cluster import Cluster

ANSWER_S = 10.0


@dataclass(frozen=True)
class RawRequest:
    """`target`: path and query as they go on the wire."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def status_of(cluster: Cluster, request: RawRequest) -> int:
    """The status that the API server answers with; the rest of the answer is not waited for. 0: none came."""
    context = ssl.create_default_context(cafile=str(cluster.ca))
    context.load_cert_chain(cluster.admin.certificate, cluster.admin.key)
    place = urlsplit(cluster.url)
    address = (place.hostname or "", place.port or 0)
    with (
        socket.create_connection(address, ANSWER_S) as plain,
        context.wrap_socket(plain, server_hostname=address[0]) as connection,
    ):
        connection.sendall(_written(request, place.netloc))
        head = connection.recv(4096).split(b"\r\n", 1)[0].split(b" ")
        return int(head[1]) if len(head) > 1 else 0


def _written(request: RawRequest, host: str) -> bytes:
    headers = {
        "Host": host,
        "Content-Length": str(len(request.body)),
        "Connection": "close",
        **request.headers,
    }
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
