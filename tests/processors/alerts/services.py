"""Real services to tell: an HTTP server and an SMTP server on loopback, which keep what they were sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Service:
    """An HTTP service. `status` is what it answers; while `open` is clear it keeps whoever asks waiting."""

    url: str = ""
    status: int = 200
    location: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        """Title and body of each message, from whatever form the plugin gave them."""
        return [json.dumps(body, ensure_ascii=False) for body in self.received]


@contextmanager
def http_service() -> Iterator[Service]:
    """A service that takes any POST with a JSON body."""
    service = Service()
    service.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            service.received.append(json.loads(self.rfile.read(length)))
            service.open.wait(60)
            with suppress(ConnectionError):  # whoever asked was killed
                self._answer()

        def _answer(self) -> None:
            self.send_response(service.status)
            if service.location:
                self.send_header("Location", service.location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"127.0.0.1:{server.server_address[1]}"
    with _serving(server):
        yield service
    service.open.set()


@dataclass
class Mailbox:
    """An SMTP service and the mails it took: (recipients, subject, text)."""

    port: int = 0
    mails: list[tuple[list[str], str, str]] = field(default_factory=list)


@contextmanager
def smtp_service() -> Iterator[Mailbox]:
    """A server that speaks as much of RFC 5321 as a client needs that neither encrypts nor signs in."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            recipients: list[str] = []
            self._say(220, "ready")
            while line := self.rfile.readline():
                verb, _, rest = line.decode().strip().partition(" ")
                match verb.upper():
                    case "EHLO" | "HELO":
                        self._say(250, "localhost")
                    case "RCPT":
                        recipients.append(rest.partition("<")[2].partition(">")[0])
                        self._say(250, "ok")
                    case "DATA":
                        self._say(354, "go on")
                        self._keep(recipients)
                        self._say(250, "taken")
                    case "QUIT":
                        self._say(221, "bye")
                        return
                    case _:
                        self._say(250, "ok")

        def _keep(self, recipients: list[str]) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            mail = message_from_bytes(b"".join(lines), policy=default)
            part = mail.get_body(("plain", "html"))
            assert part is not None
            box.mails.append((recipients, str(mail["Subject"]), part.get_content()))

        def _say(self, code: int, text: str) -> None:
            self.wfile.write(f"{code} {text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    box.port = server.server_address[1]
    with _serving(server):
        yield box


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
