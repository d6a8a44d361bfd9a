"""The SDK's server behind a door that holds calls of one tool until the test decides, with the forms of this package
and nothing else of the gateway around it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway import waiting
from gateway.effects import Request
from gateway.frames.jsonrpc import Look, look
from gateway.frames.sse import EventSplitter
from gateway.held import Approval
from gateway.waiting import tasks
from tests.gateway.sdk_server import sdk_server
from tests.gateway.waiting.shapes import ANN, ID, KEY, held

CONNECTION = "disks"


@dataclass
class Door:
    """What it holds, and what it has seen. `beat`: seconds between signs of life; `silent`: there are none;
    `nagging`: it sends who comes back to the page again; `polling`: it keeps nobody waiting."""

    upstream: str
    http: aiohttp.ClientSession
    page: str = ""
    nagging: bool = False
    polling: bool = False
    tool: str = "add"
    beat: float = 0.05
    silent: bool = False
    port: int = 0
    approval: Approval = field(default_factory=lambda: Approval(ID, "pending"))
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    manners: list[str] = field(default_factory=list)
    pages_taken: list[str] = field(default_factory=list)
    forwarded: list[bytes] = field(default_factory=list)
    beats: int = 0
    left: int = 0
    session: str = ""
    cancelled: list[str] = field(default_factory=list)
    kept: waiting.HeldTasks = field(default_factory=waiting.HeldTasks)
    states: waiting.StateSeal = field(default_factory=lambda: waiting.StateSeal(KEY))
    ids: waiting.TaskSeal = field(default_factory=lambda: waiting.TaskSeal(KEY))

    @property
    def url(self) -> str:
        """Where clients come in."""
        return f"http://127.0.0.1:{self.port}/mcp"

    async def decide(self, state: str, **more: object) -> None:
        """What people say."""
        async with self.changed:
            self.approval = replace(self.approval, state=state, **more)  # type: ignore[arg-type]
            self.changed.notify_all()

    async def until(self, fact: str, count: int) -> None:
        """Waits until `beats`, `left` or the list `manners` has come so far."""
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: self._count(fact) >= count)

    def _count(self, fact: str) -> int:
        value = getattr(self, fact)
        return len(value) if isinstance(value, list) else int(value)

    async def _note(self, fact: str, value: str = "") -> None:
        async with self.changed:
            if value:
                getattr(self, fact).append(value)
            else:
                setattr(self, fact, self._count(fact) + 1)
            self.changed.notify_all()

    # -- one request

    async def answer(self, http: HttpRequest) -> Response:
        """Holds, or passes on."""
        headers = [(n.lower(), v) for n, v in http.scope["headers"]]
        request = Request(http.method, http.url.path, "", headers, await http.body(), "", "")
        asked = look(request.body)
        version = http.headers.get("mcp-protocol-version", "")
        if asked.tool == self.tool:
            return await self._held(request, asked, version)
        if (task_id := waiting.asked_task(request.body)) is not None:
            return await self._task(request, asked, version, task_id)
        if cancelled := waiting.cancelled_id(request.body):
            await self._note("cancelled", cancelled)
        return await self._passed_on(request)

    async def _held(self, request: Request, asked: Look, version: str) -> Response:
        digest = sha256(bytes(asked.arguments or b"")).hexdigest()
        how = waiting.manner(request, asked, version, self.page)
        how = "elicit" if self.nagging else "poll" if self.polling else how
        if (state := waiting.opened_state(request.body)) is not None:
            if self.states.open(state, ANN, CONNECTION, digest) != self.approval.approval_id:
                return Response("{}", 400)
            self.pages_taken.append(waiting.page_taken(request.body))
            request = replace(request, body=waiting.without_state(request.body))
        await self._note("manners", how)
        if how == "elicit":
            state = self.states.seal(self.approval.approval_id, ANN, CONNECTION, digest, 2**31 * 1_000_000)
            page = waiting.elicitation(asked, self.approval, self.page, state, "sums are held")
            return Response(page, media_type="application/json")
        if how == "task":
            task = self.ids.make(self.approval.approval_id, ANN, CONNECTION, 60)
            assert self.kept.put(task, held(), replace(request, body=waiting.untasked(request.body)))
            return _response(tasks.created(asked, task, "It waits for a person.", version=version))
        if how == "stream":
            return StreamingResponse(self._stream(request, asked, version), headers=_heads(waiting.OPENING))
        if self.approval.state == "approved":
            return await self._passed_on(request)
        return _response(waiting.pending_answer(asked, self.approval, retry_after=1, version=version))

    async def _stream(self, request: Request, asked: Look, version: str) -> AsyncIterator[bytes]:
        n, whole = 0, False
        try:
            while self.approval.state == "pending":
                n += 1
                if not self.silent:
                    told = waiting.progress(asked, request.body, n, 900, "waiting for a person")
                    yield waiting.keep_alive() + (told or b"")
                await self._note("beats")
                await self._decided(self.beat)
            if self.approval.state == "approved":
                async for block in self._events(request, asked):
                    yield block
            else:
                yield waiting.wrapped(
                    asked, *waiting.denied_answer(asked, self.approval, "sums", version=version)
                )
            whole = True
        finally:
            if not whole:
                async with asyncio.timeout(5):
                    await asyncio.shield(asyncio.create_task(self._note("left")))

    async def _decided(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self.changed:
                await self.changed.wait_for(lambda: self.approval.state != "pending")
        except TimeoutError:
            pass

    async def _events(self, request: Request, asked: Look) -> AsyncIterator[bytes]:
        got = await self._send(request)
        if got.content_type == "text/event-stream":
            async for chunk in got.content.iter_any():
                yield chunk
        else:
            headers = [(n.lower().encode(), v.encode()) for n, v in got.headers.items()]
            yield waiting.wrapped(asked, got.status, headers, await got.read())

    async def _task(self, request: Request, asked: Look, version: str, task_id: str) -> Response:
        refused = tasks.undeclared(asked, request.body, version)
        task = self.ids.open(task_id, ANN, CONNECTION)
        if refused or task is None:
            return _response(refused or tasks.unknown(asked))
        now = self._standing(asked, task, version)
        while now.step == "wait":
            await self._decided(0.05)
            now = self._standing(asked, task, version)
        if now.step == "run" and (call := self.kept.take(task.approval_id)):
            self.kept.answered(task.approval_id, await self._whole(call))
            now = self._standing(asked, task, version)
        told = tasks.told(asked, task, now, version=version, poll_seconds=0)
        if asked.method == "tasks/cancel":
            self.kept.cancel(task.approval_id)
        return _response(told or (404, [], b""))

    def _standing(self, asked: Look, task: waiting.OpenedTask, version: str) -> waiting.Standing:
        return waiting.standing(
            asked, task, self.approval, self.kept.find(task.approval_id), "sums", version=version
        )

    async def _whole(self, request: Request) -> bytes:
        got = await self._send(request)
        data = await got.read()
        if got.content_type != "text/event-stream":
            return data
        blocks = EventSplitter(1_000_000).feed(data)
        return next(answer for block in blocks if (answer := waiting.answer_in(block)))

    async def _send(self, request: Request) -> aiohttp.ClientResponse:
        self.forwarded.append(request.body)
        kept = {n.decode(): v.decode() for n, v in request.headers if n not in (b"host", b"content-length")}
        return await self.http.request(request.method, self.upstream, headers=kept, data=request.body)

    async def _passed_on(self, request: Request) -> Response:
        got = await self._send(request)
        heads = {n: v for n, v in got.headers.items() if n.lower() in ("content-type", "mcp-session-id")}
        self.session = got.headers.get("mcp-session-id", self.session)
        return StreamingResponse(got.content.iter_any(), got.status, heads)


def _heads(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {n.decode(): v.decode() for n, v in headers}


def _response(told: tuple[int, list[tuple[bytes, bytes]], bytes]) -> Response:
    status, headers, data = told
    return Response(data, status, _heads(headers))


@asynccontextmanager
async def held_door(**settings: object) -> AsyncIterator[Door]:
    """Runs both on free ports."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with sdk_server() as behind, aiohttp.ClientSession(timeout=timeout) as http:
        door = Door(behind.url, http, **settings)  # type: ignore[arg-type]
        app = Starlette(routes=[Route("/mcp", door.answer, methods=["GET", "POST", "DELETE"])])
        with socket.create_server(("127.0.0.1", 0)) as listening:
            door.port = listening.getsockname()[1]
            config = uvicorn.Config(app, http="httptools", log_config=None, timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve([listening]))
            try:
                yield door
            finally:
                server.should_exit = True
                await task
