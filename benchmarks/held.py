"""What a measurement of held calls needs: callers that wait on their streams, an upstream, and who sees each step."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.guard import Guard
from processors.kafka_view import KafkaView
from schemas.approvals import DECIDED, SETTLED, open_decision, open_settled
from schemas.kafka import KafkaAddress

_T = TypeVar("_T")
AGENTS = 10
POLICY = """
default: allow
rules:
  - name: deletes
    when: tool.name == "delete_pod"
    hold: {reviewers: [owners], reason: the pod would be gone, expires: 30m}
"""
MARK = re.compile(rb'"mark":"(m-\d+)"')

Moments = defaultdict[str, dict[str, float]]
"""By mark or approval, what happened when; seconds of `time.perf_counter`."""


@asynccontextmanager
async def in_thread(manager: AbstractContextManager[_T]) -> AsyncIterator[_T]:
    """A context that takes its time to enter and leave. It is left whenever the task ends, also while it enters."""
    loop = asyncio.get_running_loop()
    entering = loop.run_in_executor(None, manager.__enter__)
    try:
        yield await asyncio.shield(entering)
    finally:
        await asyncio.wait([entering])
        if entering.exception() is None:
            await loop.run_in_executor(None, manager.__exit__, None, None, None)


class HeldGuard(Guard):
    """Tokens, and a policy that holds every call of `delete_pod`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.policy_file.write_text(POLICY)

    def added(self, settings: dict[str, Any], public_url: str) -> dict[str, Any]:
        """As everywhere, and room for many that wait."""
        wait = {"stream": "1h", "calls_max": 1_000, "calls_by_caller_max": 200}
        approvals = {**settings["approvals"], "wait": wait}
        return {**super().added(settings, public_url), "approvals": approvals}

    def tokens(self, url: str) -> list[str]:
        """One for each agent."""
        return [self.people.token(url, f"agent-{number}", "bench") for number in range(AGENTS)]


class Upstream:
    """Answers at once, and notes when each marked call arrived."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """Where a connection points. Raises RuntimeError before it is entered."""
        if self._server is None:
            raise RuntimeError("nobody listens yet")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/mcp"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                asked = await reader.readexactly(int(length[1]) if length else 0)
                if mark := MARK.search(asked):
                    self._moments[mark[1].decode()]["upstream"] = time.perf_counter()
                said = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
                kind = b"content-type: application/json\r\n"
                writer.write(b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (kind, len(said), said))
        writer.close()


class Caller:
    """Makes one held call after the other, and notes when each was answered."""

    def __init__(self, url: str, token: str, moments: Moments) -> None:
        self._place = urlsplit(url)
        self._token = token
        self._moments = moments

    async def call(self, mark: str) -> None:
        """Returns when it is answered. Raises RuntimeError for another answer than upstream's."""
        host, port = self._place.hostname or "", self._place.port or 0
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(self._request(mark))
            said = await _answer(reader)
        finally:
            writer.close()
        if b'"result":{"content":[]}' not in said:
            raise RuntimeError(f"{mark} was answered with {said[-300:]!r}")
        self._moments[mark]["answer"] = time.perf_counter()

    def _request(self, mark: str) -> bytes:
        call = f'{{"name":"delete_pod","arguments":{{"mark":"{mark}"}}}}'
        body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{call}}}'
        return (
            f"POST {self._place.path} HTTP/1.1\r\nhost: {self._place.netloc}\r\n"
            f"authorization: Bearer {self._token}\r\ncontent-type: application/json\r\n"
            "accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n"
            f"content-length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if length := re.search(rb"content-length: (\d+)", head):
        return await reader.readexactly(int(length[1]))
    said = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        said += (await reader.readexactly(size + 2))[:size]
    return said


class Onlooker:
    """Notes by approval when each record of it could be read: decided, approved, use, used."""

    def __init__(self, kafka: KafkaAddress, moments: Moments) -> None:
        self._kafka, self._moments = kafka, moments
        self._consumer = AIOKafkaConsumer(
            **kafka.client_options(), group_id=None, enable_auto_commit=False, auto_offset_reset="latest"
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Onlooker:
        async with KafkaView(self._kafka) as view:
            places = [TopicPartition(t, n) for t in (DECIDED, SETTLED) for n in await view.partitions(t)]
        await self._consumer.start()
        self._consumer.assign(places)
        await self._consumer.seek_to_end()
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._consumer.stop()

    async def _look(self) -> None:
        async for row in self._consumer:
            now = time.perf_counter()
            if row.topic == DECIDED:
                decision = open_decision(row.key, row.value)
                step = {"approve": "decided", "use": "use"}.get(decision["verb"], "")
                approval_id = decision["approval_id"]
            else:
                settled = open_settled(row.key, row.value)
                step = "used" if settled["use_id"] else settled["state"]
                approval_id = settled["approval_id"]
            self._moments[approval_id].setdefault(step, now)
