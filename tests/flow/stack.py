"""The whole stack by its own command, an upstream that gives back what it is sent, and a client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner, Result

from sluicegate.cli.app import app
from sluicegate.embedded.guard import Guard
from tests.support.ports import free_addresses

STOP_S = 60.0
STORED_S = 120.0


@dataclass(frozen=True)
class Running:
    """A stack that is up. `said` grows with what its command prints."""

    config: Path
    gateway: str
    console: str
    said: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """Where every part keeps its files."""
        return self.config.parent / "var"

    def run(self, *words: str) -> Result:
        """One command on it."""
        return CliRunner().invoke(app, [*words, "--config", str(self.config)])

    def rows(self, sql: str) -> list[dict[str, object]]:
        """The answer of the store."""
        done = self.run("query", sql, "--json")
        assert done.exit_code == 0, (done.output, done.stderr, done.exception)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def settled(self, calls: int) -> None:
        """Returns when the store has every frame of the `calls` made so far: the last of each says how it ended."""
        until = time.monotonic() + STORED_S
        while True:
            (row,) = self.rows("SELECT count() AS n, countIf(outcome = 'pending') AS open FROM v_exchanges")
            if (row["n"], row["open"]) == (calls, 0):
                return
            assert time.monotonic() < until, row

    def call(
        self, tool: str, text: str, headers: Mapping[str, str] | None = None, query: str = ""
    ) -> tuple[int, str, bytes]:
        """Status, header lines and body of one tools/call whose argument is `text`."""
        params = {"name": tool, "arguments": {"input": text}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        request = Request(f"http://{self.gateway}/mcp/demo{query}", body, {**head, **(headers or {})})
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, str(answer.headers), answer.read()
        except HTTPError as refused:
            with refused:
                return refused.code, str(refused.headers), refused.read()


@contextmanager
def stack(folder: Path, upstream: str, more: str = "") -> Iterator[Running]:
    """`sluicegate up` with one connection `demo` and `more` settings, stopped politely at the end."""
    gateway, console, approvals = free_addresses(3)
    running = Running(folder / "sluicegate.yaml", gateway, console)
    running.config.write_text(
        f'gateway: {{listen: "{running.gateway}"}}\nconsole: {{listen: "{running.console}"}}\n'
        f'approvals: {{listen: "{approvals}"}}\n'
        "kafka: {sync: false}\nidentity: {mode: none}\n"
        f'connections: [{{name: demo, upstream: "{upstream}", masking: secrets+pii}}]\n{more}',
        "utf-8",
    )
    argv = [sys.executable, "-m", "sluicegate", "up", "--config", running.config.name]
    guard = Guard(grace_s=STOP_S)
    process = subprocess.Popen(
        argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    guard.watch(process.pid)
    try:
        assert process.stdout
        for line in process.stdout:
            running.said.append(line)
            if "ready:" in line:
                break
        else:
            pytest.fail(f"the stack did not come up: {''.join(running.said)}")
        yield running
        os.kill(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=STOP_S)
        running.said.append(rest)
    finally:
        guard.close()
        if process.stdout:
            process.stdout.close()


def _cookie(text: str) -> str:
    """The value in a text that has a Set-Cookie line."""
    return text.partition("session_id=")[2].partition(";")[0]


class Echo(BaseHTTPRequestHandler):
    """Answers a tools/call with its own argument, in the way that the tool's name says."""

    protocol_version = "HTTP/1.1"
    sys_version = server_version = ""

    def do_POST(self) -> None:
        """One call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        params = json.loads(body)["params"]
        text = params["arguments"]["input"]
        result = {"content": [{"type": "text", "text": text}], "isError": False}
        good = {"jsonrpc": "2.0", "id": 1, "result": result}
        bad = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": f"it failed: {text}"}}
        note = {
            "jsonrpc": "2.0",
            "method": "notifications/message",
            "params": {"level": "info", "data": text},
        }
        match params["name"]:
            case "event":
                lines = "".join(f"event: message\ndata: {json.dumps(one)}\n\n" for one in (note, good))
                self._answer(200, "text/event-stream", lines)
            case "error":
                self._answer(200, "application/json", json.dumps(bad))
            case "failure":
                self._answer(500, "text/plain", text)
            case "header":
                self._answer(
                    200,
                    "application/json",
                    json.dumps(good),
                    {"Set-Cookie": f"session_id={_cookie(text)}; Path=/"},
                )
            case _:
                self._answer(200, "application/json", json.dumps(good))

    def _answer(self, status: int, kind: str, text: str, more: Mapping[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def echo() -> Iterator[str]:
    """The URL of a running echo."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
