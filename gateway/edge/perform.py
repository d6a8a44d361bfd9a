"""Carries out what an exchange asks for, effect by effect, and sends it the facts that follow."""

import asyncio
import math
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from gateway.drafting import MaskingFailedError
from gateway.edge.approvals import Approvals
from gateway.edge.credentials import CredentialError
from gateway.edge.guard import Handover
from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.route import Process, Route
from gateway.edge.sockets.conduit import Conduit
from gateway.edge.sockets.joining import Joining
from gateway.edge.tracing import UNTRACED, Traced
from gateway.edge.upstream import Answering, HttpUpstream
from gateway.edge.waiting_room import Place
from gateway.effects import (
    Abandon,
    Accept,
    Alert,
    Answer,
    Ask,
    Await,
    Broken,
    Claim,
    CloseSocket,
    CloseStream,
    Conceal,
    Concealed,
    Connect,
    CutStream,
    Effect,
    Fact,
    Forward,
    Gone,
    Head,
    Joined,
    Listed,
    Note,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadMessages,
    ReadReady,
    Record,
    Reply,
    Seek,
    Send,
    SendMessage,
    Use,
    Withdraw,
)
from gateway.endings import Life, Mask
from gateway.exchange import Exchange
from gateway.frames.headers import Headers, first
from gateway.frames.user_agent import with_exchange
from gateway.held import Approval
from gateway.settings import Rate, Timeouts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Write = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger("exchange")

WATCH_AFTER_SECONDS = 0.02  # a quick answer is not worth a task that watches for the client's leaving
REPLY_SECONDS = 10.0
SLICE_BYTES = 256 * 1024
ALERTS = Rate(1 / 60, 5)
FAILED = 1011  # RFC 6455, 7.4.1: the code of a WebSocket that nobody has ended before
EXPIRED = Broken("withheld", "token_expired", "")


class Performer:
    """Performs one exchange. Without a route it can only be refused."""

    def __init__(
        self,
        exchange: Exchange,
        process: Process,
        route: Route | None,
        *,
        receive: Receive,
        write: Write,
        client_token: str = "",
        traced: Traced = UNTRACED,
        handover: Handover | None = None,
    ) -> None:
        self.exchange = exchange
        self._process = process
        self._recorder = process.recorder
        self._route = route
        self._client_token = client_token
        self.traced = traced
        self._receive = receive
        self._write = write
        self._started = time.monotonic()
        self._handover = handover
        self._conduit: Conduit | None = None
        self._answering: Answering | None = None
        self._asking: asyncio.Task[Any] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._watch_timer: asyncio.TimerHandle | None = None
        self._gone: Broken | Gone | None = None
        self._waiting: asyncio.Task[Approval | None] | None = None
        self._place: Place | None = None
        self._approval_id = ""
        self._expiry: asyncio.TimerHandle | None = None
        self._forwarded = False
        self._begun = False
        self.streaming = False
        self.lent = False  # whether its caller may use the connection only while access is lent to it
        self.upstream_seconds = 0.0
        self.answered: Answer | None = None  # what a client got that wanted a WebSocket

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
        except Exception as exc:  # noqa: BLE001  # whatever it was: the trail must say how the exchange has ended
            await self._fell(exc)
        finally:
            self._leave()

    async def _fell(self, error: Exception) -> None:
        """Records the end of an exchange that the gateway failed at. What the client has begun to get breaks off."""
        end, answer = self.exchange.fallen(self._forwarded)
        log.error("exchange_failed", exchange=self.exchange.id, error=type(error).__name__, at=_place(error))
        self._recorder.note(self.exchange.base, [end], self._started)
        if not self._begun:
            await self._give(answer)

    def stop(self, fact: Broken | Gone) -> None:
        """Ends the wait on upstream, now or when it comes: the client has left, or the gateway is stopping."""
        self._gone = fact
        if self._waiting is not None:
            self._waiting.cancel()
        elif self._conduit is not None:
            self._conduit.fail(fact)
        elif self._answering is not None:
            self._answering.fail(fact)
        elif self._asking is not None:  # it still waits for its turn, and must not be sent when that comes
            asking, self._asking = self._asking, None
            asking.cancel()

    async def _perform(self, effect: Effect) -> Fact:
        match effect:
            case Record(frames):
                return await self._recorder.record(self.exchange.base, frames, self._started)
            case ReadChunk() | ReadBody() | ReadReady() | Forward() | Connect() | ReadMessages():
                return await self._wait_on_upstream(effect)
            case Answer() | OpenStream() | Send() | CloseStream():
                await self._give(effect)
            case Conceal(mask, body):
                return await asyncio.to_thread(_concealed, mask, body)
            case Seek() | Ask() | Await() | Use():
                return await self._held(effect)
            case Claim(rule, rate):
                principal = self.exchange.principal
                name = self._route.name if self._route else ""
                return self._process.quotas.take((name, rule, principal.issuer, principal.subject), rate)
            case _:
                self._do(effect)
        return None

    def _do(self, effect: Effect) -> None:
        """What nobody waits for."""
        match effect:
            case Note(frames):
                self._recorder.note(self.exchange.base, frames, self._started)
            case Alert():
                self._alert(effect)
            case Withdraw(approval_id, held, why):
                self._process.background.run(self._process.approvals.withdraw(approval_id, held, why))
            case Abandon(session_id, request_id):
                self._process.waiting.abandon(session_id, request_id)
            case Listed(raw, event):
                if self._route is not None:
                    self._route.pinning.listed(raw, event)
            case Reply(headers, body):
                self._process.background.run(self._reply(headers, body))
            case Accept(subprotocol):
                self._accept(subprotocol)
            case SendMessage(to_client, data, text):
                self._tunnel.send(to_client, data, text)
            case CloseSocket(code, reason):
                self._tunnel.close(code, reason)
            case CutStream():
                pass  # leaving a begun answer without its end makes the server break the connection off

    def _alert(self, alert: Alert) -> None:
        """Raises a finding. Of a flood by one caller only some are: each is on the trail, and nobody reads 1,000."""
        principal = self.exchange.principal
        key = ("alert", alert.rule, principal.issuer, principal.subject)
        if self._process.quotas.take(key, ALERTS) <= 0.0:
            self._process.background.run(self._process.raise_finding(alert.rule, alert.title, alert.evidence))

    # -- people

    async def _held(self, effect: Seek | Ask | Await | Use) -> Fact:
        fact = await self._of_people(effect)
        if isinstance(fact, Approval):
            self._approval_id = fact.approval_id
        return fact

    async def _of_people(self, effect: Seek | Ask | Await | Use) -> Fact:
        approvals = self._process.approvals
        match effect:
            case Seek(held):
                self._place = self._place or self._process.waiting.take(
                    held.principal, held.session_id, self.exchange.look.id, partial(self.stop, Gone())
                )
                if self._place is None:
                    return Broken("withheld", "approvals_full", "", sent=False)
                return approvals.find(held)
            case Ask(held):
                return await approvals.ask(held)
            case Await(approval_id, seconds):
                return await self._until_settled(approvals, approval_id, seconds)
            case Use(approval_id, held):
                return self._barred() or await approvals.use(approval_id, held)

    async def _until_settled(self, approvals: Approvals, approval_id: str, seconds: float) -> Fact:
        if self._gone is not None:
            return _unsent(self._gone)
        if self._watcher is None:
            self._watch()
        self._waiting = asyncio.create_task(approvals.wait(approval_id, seconds))
        try:
            return await self._waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._gone is None or (task is not None and task.cancelling()):
                raise
            return _unsent(self._gone)
        finally:
            self._waiting.cancel()
            self._waiting = None

    def _barred(self) -> Broken | Gone | None:
        """Why nothing may be taken for this caller any more: it has left, or its token has ended."""
        if self._gone is not None:
            return _unsent(self._gone)
        if time.time() >= self.exchange.principal.expires_at:
            return replace(EXPIRED, sent=False)
        return None

    async def _wait_on_upstream(
        self, effect: Forward | Connect | ReadBody | ReadReady | ReadChunk | ReadMessages
    ) -> Fact:
        if isinstance(effect, ReadMessages):
            return await self._messages(effect.quiet_seconds)
        if self._gone is not None:
            return _unsent(self._gone) if isinstance(effect, Forward | Connect) else self._gone
        loop = asyncio.get_running_loop()
        asked = loop.time()
        timer = loop.call_later(self._patience(effect), self._out_of_time)
        try:
            if isinstance(effect, Forward | Connect):
                self._forwarded = True
                self._watch_soon()
                return await self._ask(effect)
            answering = self._answering
            if answering is None:
                raise RuntimeError("an exchange must forward before it reads")
            if isinstance(effect, ReadChunk):
                return await _chunk(answering, effect.quiet_seconds)
            return answering.ready() if isinstance(effect, ReadReady) else await self._body(answering)
        except UpstreamBrokenError as exc:
            return exc.fact
        finally:
            timer.cancel()
            self.upstream_seconds += loop.time() - asked

    async def _ask(self, effect: Forward | Connect) -> Head | Joined:
        if self._route is None:
            raise RuntimeError("an exchange without a route cannot forward")
        task = self._asking = asyncio.current_task()
        try:
            self._answering = await self._sent(self._route, effect)
        except asyncio.CancelledError:
            if self._gone is None or task is None or not task.cancelling():
                raise
            task.uncancel()
            raise UpstreamBrokenError(self._gone) from None
        finally:
            self._asking = None
        head = await self._answering.head()
        if not isinstance(self._answering, Joining) or self._answering.wire is None:
            return head
        self._conduit = Conduit(self._answering.wire)
        return Joined(self._answering.subprotocol, head.headers)

    async def _sent(self, route: Route, effect: Forward | Connect) -> Answering:
        """The request is on its way: it may wait for a credential, and for a connection to upstream."""
        asked = await self._with_credential(route, _request_of(effect))
        traced = self.traced.towards_upstream(asked.headers)
        if traced is not asked.headers:
            asked = replace(asked, headers=traced)
        if isinstance(effect, Forward):
            return await route.upstream.ask(asked)
        if not isinstance(route.upstream, HttpUpstream):
            raise RuntimeError("a program on stdio takes no WebSocket")
        return await route.upstream.join(asked, effect.subprotocols, self._process.limits.event_bytes_max)

    async def _with_credential(self, route: Route, effect: Forward) -> Forward:
        """The request as upstream gets it: our credential in the place of the client's."""
        if route.connection.trace_user_agent:
            effect = replace(effect, headers=_naming(effect.headers, self.exchange.id))
        try:
            asked = await route.injector.authorize(effect, self.exchange.principal, self._client_token)
        except CredentialError as exc:
            fact = Broken("upstream_failed", "credential_unavailable", str(exc), sent=False)
            raise UpstreamBrokenError(fact) from exc
        return asked

    async def _reply(self, headers: Headers, body: bytes) -> None:
        """Answers what upstream asked, in the client's place. What upstream says to that is of no interest."""
        route = self._route
        if route is None:
            return
        said = Forward(str(self.exchange.base["session_id"]), "POST", "", headers, body)
        with suppress(UpstreamBrokenError, TimeoutError):
            async with asyncio.timeout(REPLY_SECONDS):
                answering = await route.upstream.ask(await self._with_credential(route, said))
                try:
                    await answering.head()
                finally:
                    route.upstream.done(answering)

    async def _body(self, answering: Answering) -> bytes:
        return await answering.body(self._process.limits.response_bytes_max)

    def _patience(self, effect: Effect) -> float:
        timeouts = self._route.connection.timeouts if self._route else Timeouts()
        return timeouts.idle_seconds if isinstance(effect, ReadChunk) else timeouts.response_seconds

    def _out_of_time(self) -> None:
        self.stop(Broken("timed_out", "upstream_timeout", ""))

    async def _give(self, effect: Answer | OpenStream | Send | CloseStream) -> None:
        match effect:
            case Answer(status, headers, body):
                self.answered = effect if self._handover else None
                said = status in (204, 304) or first(headers, b"content-length")
                length = (b"content-length", b"%d" % len(body))
                await self._head(status, headers if said else [*headers, length])
                await self._whole(body)
            case OpenStream(status, headers):
                self.streaming = True
                self._end_with_token()
                await self._head(status, headers)
                await self._write({"type": "http.response.body", "body": b"", "more_body": True})
            case Send(data):
                await self._write({"type": "http.response.body", "body": data, "more_body": True})
            case CloseStream():
                await self._write({"type": "http.response.body", "body": b""})

    async def _whole(self, body: bytes) -> None:
        """A large body goes out as the client reads it, and its place in the quotas is kept for so long."""
        start = 0
        while len(body) - start > SLICE_BYTES:
            piece = body[start : start + SLICE_BYTES]
            await self._write({"type": "http.response.body", "body": piece, "more_body": True})
            start += SLICE_BYTES
        await self._write({"type": "http.response.body", "body": body[start:]})

    async def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._begun = True
        await self._write({"type": "http.response.start", "status": status, "headers": headers})

    def _end_with_token(self) -> None:
        """A stream lives no longer than the token it was opened with (ABUSE 48)."""
        expires_at = self.exchange.principal.expires_at
        if expires_at != math.inf:
            wait = max(0.0, expires_at - time.time())
            self._expiry = asyncio.get_running_loop().call_later(wait, self.stop, EXPIRED)

    # -- a WebSocket

    @property
    def _tunnel(self) -> Conduit:
        if self._conduit is None:
            raise RuntimeError("an exchange must connect before it passes messages")
        return self._conduit

    def _accept(self, subprotocol: str) -> None:
        """From here on it is the conduit that knows whether the client is there."""
        self._begun = self.streaming = True
        self._unwatch()
        self._end_with_token()
        handover, limit = self._handover, self._process.limits.event_bytes_max
        self._tunnel.open(handover.accept(subprotocol, limit) if handover else None)
        if self._gone is not None:
            self._tunnel.fail(self._gone)

    async def _messages(self, quiet_seconds: float | None) -> Fact:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            return await self._tunnel.read(quiet_seconds)
        finally:
            self.upstream_seconds += loop.time() - asked

    # -- the client's leaving

    def _watch_soon(self) -> None:
        if self._watcher is None:  # a held call is watched since it waits
            loop = asyncio.get_running_loop()
            self._watch_timer = loop.call_later(WATCH_AFTER_SECONDS, self._watch)

    def _watch(self) -> None:
        self._watcher = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.stop(Gone())

    def _unwatch(self) -> None:
        if self._watch_timer is not None:
            self._watch_timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _leave(self) -> None:
        if self._place is not None:
            self._process.waiting.leave(self._place)
            self._process.approvals.let_go(self._approval_id)
        self._unwatch()
        if self._conduit is not None:
            self._conduit.close(FAILED, "")
        if self._expiry is not None:
            self._expiry.cancel()
        if self._answering is not None and self._route is not None:
            self._route.upstream.done(self._answering)


def _place(error: Exception) -> str:
    """Where it was raised, without what was said: that may hold values of the request."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _request_of(effect: Forward | Connect) -> Forward:
    """The request that opens a WebSocket is one as any other, to credentials."""
    if isinstance(effect, Forward):
        return effect
    return Forward(effect.session_id, "GET", effect.query, effect.headers, b"", effect.target)


def _unsent(fact: Broken | Gone) -> Broken | Gone:
    """The fact, where upstream has seen nothing of the request."""
    return replace(fact, sent=False) if isinstance(fact, Broken) else fact


async def _chunk(answering: Answering, quiet_seconds: float | None) -> bytes | None:
    """The next bytes; None when none came in so many seconds."""
    if quiet_seconds is None:
        return await answering.chunk()
    try:
        async with asyncio.timeout(quiet_seconds):
            return await answering.chunk()
    except TimeoutError:
        return None


def _concealed(mask: Mask, body: bytes) -> Concealed | None:
    try:
        return Concealed(*mask(body))
    except MaskingFailedError:
        return None


def _naming(headers: Headers, exchange_id: str) -> Headers:
    """The User-Agent names the exchange, so that what upstream does for it elsewhere can be joined to it."""
    agent = with_exchange(first(headers, b"user-agent"), exchange_id)
    return [*(pair for pair in headers if pair[0] != b"user-agent"), (b"user-agent", agent)]
