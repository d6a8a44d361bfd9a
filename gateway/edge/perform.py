"""Carries out what an exchange asks for, effect by effect, and sends it the facts that follow."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.recorder import Recorder
from gateway.edge.upstream import Answering, Upstream
from gateway.effects import (
    Answer,
    Broken,
    CloseStream,
    CutStream,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    Note,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Send,
)
from gateway.exchange import Exchange, Life, Terms
from gateway.settings import Connection, Limits, Timeouts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Write = Callable[[MutableMapping[str, Any]], Awaitable[None]]

WATCH_AFTER_SECONDS = 0.02  # a quick answer is not worth a task that watches for the client's leaving


@dataclass(frozen=True, slots=True)
class Route:
    """A connection with all that serves it."""

    connection: Connection
    terms: Terms
    upstream: Upstream


class Performer:
    """Performs one exchange. Without a route it can only be refused."""

    def __init__(
        self,
        exchange: Exchange,
        recorder: Recorder,
        route: Route | None,
        limits: Limits,
        *,
        receive: Receive,
        write: Write,
    ) -> None:
        self._exchange = exchange
        self._recorder = recorder
        self._route = route
        self._limits = limits
        self._receive = receive
        self._write = write
        self._started = time.monotonic()
        self._answering: Answering | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._watch_timer: asyncio.TimerHandle | None = None
        self._gone: Broken | Gone | None = None
        self.streaming = False

    async def run(self, life: Life) -> None:
        """Runs `life` to its end. What was opened towards upstream is closed in every case."""
        fact: Fact = None
        try:
            effect = next(life)
            while True:
                fact = await self._perform(effect)
                effect = life.send(fact)
        except StopIteration:
            return
        finally:
            self._leave()

    def stop(self, fact: Broken | Gone) -> None:
        """Ends the wait on upstream, now or when it comes: the client has left, or the gateway is stopping."""
        self._gone = fact
        if self._answering is not None:
            self._answering.fail(fact)

    async def _perform(self, effect: Effect) -> Fact:
        match effect:
            case Record(frames):
                return await self._recorder.record(self._exchange.base, frames, self._started)
            case ReadChunk() | ReadBody() | ReadReady() | Forward():
                return await self._wait_on_upstream(effect)
            case Answer() | OpenStream() | Send() | CloseStream():
                await self._give(effect)
            case Note(frames):
                self._recorder.note(self._exchange.base, frames, self._started)
            case CutStream():
                pass  # leaving a begun answer without its end makes the server break the connection off
        return None

    async def _wait_on_upstream(self, effect: Forward | ReadBody | ReadReady | ReadChunk) -> Fact:
        if self._gone is not None:
            return self._gone
        timer = asyncio.get_running_loop().call_later(self._patience(effect), self._out_of_time)
        try:
            if isinstance(effect, Forward):
                self._watch_soon()
                return await self._ask(effect)
            answering = self._answering
            if answering is None:
                raise RuntimeError("an exchange must forward before it reads")
            if isinstance(effect, ReadChunk):
                return await answering.chunk()
            return answering.ready() if isinstance(effect, ReadReady) else await self._body(answering)
        except UpstreamBrokenError as exc:
            return exc.fact
        finally:
            timer.cancel()

    async def _ask(self, effect: Forward) -> Head:
        if self._route is None:
            raise RuntimeError("an exchange without a route cannot forward")
        self._answering = await self._route.upstream.ask(effect)
        if self._gone is not None:
            self._answering.fail(self._gone)
        return await self._answering.head()

    async def _body(self, answering: Answering) -> bytes:
        return await answering.body(self._limits.response_bytes_max)

    def _patience(self, effect: Effect) -> float:
        timeouts = self._route.connection.timeouts if self._route else Timeouts()
        return timeouts.idle_seconds if isinstance(effect, ReadChunk) else timeouts.response_seconds

    def _out_of_time(self) -> None:
        self.stop(Broken("timed_out", "upstream_timeout", ""))

    async def _give(self, effect: Answer | OpenStream | Send | CloseStream) -> None:
        match effect:
            case Answer(status, headers, body):
                length = (b"content-length", b"%d" % len(body))
                await self._head(status, headers if status in (204, 304) else [*headers, length])
                await self._write({"type": "http.response.body", "body": body})
            case OpenStream(status, headers):
                self.streaming = True
                await self._head(status, headers)
                await self._write({"type": "http.response.body", "body": b"", "more_body": True})
            case Send(data):
                await self._write({"type": "http.response.body", "body": data, "more_body": True})
            case CloseStream():
                await self._write({"type": "http.response.body", "body": b""})

    async def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self._write({"type": "http.response.start", "status": status, "headers": headers})

    # -- the client's leaving

    def _watch_soon(self) -> None:
        loop = asyncio.get_running_loop()
        self._watch_timer = loop.call_later(WATCH_AFTER_SECONDS, self._watch)

    def _watch(self) -> None:
        self._watcher = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.stop(Gone())

    def _leave(self) -> None:
        if self._watch_timer is not None:
            self._watch_timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._answering is not None and self._route is not None:
            self._route.upstream.done(self._answering)
