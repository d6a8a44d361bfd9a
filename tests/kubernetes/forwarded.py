"""What listens behind the port of the pods: says its path, sends much, sums what it gets."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = b"0123456789abcdef" * 65536


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Its path; /large: a MiB."""
        self._answer(LARGE if self.path == "/large" else f"you asked for {self.path}\n".encode())

    def do_POST(self) -> None:
        """The digest of what came."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(hashlib.sha256(body).hexdigest().encode() + b"\n")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def listening() -> Iterator[int]:
    """Its port, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
