"""uvicorn's HTTP protocol behind the guard: it is handed one whole request at a time, in order, and nothing else."""

import asyncio
from typing import Any, cast

from gateway.edge.guard.door import AtTheDoor
from gateway.edge.guard.faults import DoorRefusal, FaultError, answer, refusal_of
from gateway.edge.guard.follower import Follower
from gateway.edge.guard.handover import EXTENSION, Handover
from gateway.edge.guard.pace import ReadingPace, SendingPace
from gateway.edge.guard.upgrades import WEBSOCKET
from gateway.edge.protocol import CorkedHttpProtocol
from gateway.edge.sockets.wire import Wire

GOING_AWAY = 1001  # RFC 6455, 7.4.1


class GuardedHttpProtocol(CorkedHttpProtocol):
    """One connection of a client. The application must have a `door` (`AtTheDoor`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door = cast("AtTheDoor", self.config.app).door
        self._limits = self._door.limits
        self._follower = Follower(self._door.sockets)
        self._held = b""  # pipelined requests; they are not looked at before the one under way is answered
        self._deaf = False
        self._answered = self.cycle
        self._keep_alive: bool | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._pace = SendingPace(self._limits)
        self._reading: ReadingPace | None = None
        self._wire: Wire | None = None

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection over, or refuses it where there are too many."""
        super().connection_made(transport)
        self._reading = ReadingPace(transport, self._limits)
        if self._door.enter(self):
            self._wait(self._limits.first_byte_seconds)
        else:
            self._refuse(FaultError("too_many_connections"), b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """Leaves."""
        self._deaf = True
        self._calm()
        if self._reading is not None:
            self._reading.unwatch()
        self._door.left(self)
        super().connection_lost(exc)

    def leave(self) -> None:
        """Closes an idle connection to make room for another."""
        self.transport.close()

    def shutdown(self) -> None:
        """Closes after the answer under way."""
        if self._wire is not None:
            self._wire.close(GOING_AWAY)
            return
        if self._keep_alive is not None:
            self._keep_alive = False
        super().shutdown()

    # -- what comes

    def data_received(self, data: bytes) -> None:
        """Hands on what is well-formed; refuses, and hears nothing more, at the first thing that is not."""
        follower = self._follower
        if self._deaf:
            return
        if follower.whole or self._held:
            self._early(data)
            return
        begun, in_body = follower.begun, follower.in_body
        try:
            passed, rest = follower.take(data)
        except FaultError as fault:
            self._refuse(fault, b"" if in_body else follower.kept + data)
            return
        if not begun:
            self._door.busy(self)
        if passed:
            super().data_received(passed)
        if self._deaf:
            return
        if follower.whole:
            self._ended(rest)
        else:
            self._unfinished(len(data), begun)

    def _early(self, data: bytes) -> None:
        """The next request comes before this one is answered. Behind a handshake nothing may: to some it would be a
        request, to others frames."""
        if self._follower.upgrade == WEBSOCKET:
            self._refuse(FaultError("malformed_handshake", "bytes came before it was answered"), b"")
        else:
            self._hold(data)

    def _hold(self, data: bytes) -> None:
        self._held += data
        self.flow.pause_reading()

    def _ended(self, rest: bytes) -> None:
        if self._patience is not None:
            self._calm()
        if self._keep_alive is not None:
            if not self.cycle.response_started:
                self.cycle.keep_alive = self._keep_alive
            self._keep_alive = None
        if self.cycle is self._answered or (self.cycle.more_body and not self.cycle.response_complete):
            self._refuse(FaultError("malformed_head", "the parser found no request in it"), b"")
        elif rest:
            self._early(rest)

    def _unfinished(self, size: int, begun: bool) -> None:
        if not begun:
            self._wait(self._limits.head_seconds)
        if not self._follower.in_body:
            self._unset_keepalive_if_required()
            return
        now = self.loop.time()
        if self._keep_alive is None:  # an answer before the body's end is the last one on this connection
            self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False
            self._pace.begin(now)
            self._wait(self._limits.body_idle_seconds)
        self._pace.came(size, now)

    def on_headers_complete(self) -> None:
        """The application begins; it is told where a connection can change to another protocol."""
        upgrade = self._follower.upgrade
        if upgrade:
            handover = Handover(upgrade, self.headers, self._switch)
            cast("dict[str, Any]", self.scope)["extensions"] = {EXTENSION: handover}
        super().on_headers_complete()

    def _switch(self, answer: bytes, message_bytes_max: int) -> Wire | None:
        """From here on the bytes are those of a WebSocket. This object stays what the process counts and stops."""
        if self._deaf or self.transport.is_closing():
            return None
        self._calm()
        self._unset_keepalive_if_required()
        self.cycle.response_started = self.cycle.response_complete = True
        self._follower.next()
        self.flow.resume_reading()
        self.transport.write(answer)
        wire = self._wire = Wire(self.transport, server=True, message_bytes_max=message_bytes_max)
        wire.lost, wire.pressed = self.connection_lost, self._press
        self.transport.set_protocol(wire)
        return wire

    def _press(self, pressed: bool) -> None:
        (self.pause_writing if pressed else self.resume_writing)()

    def on_response_complete(self) -> None:
        """The next request may begin."""
        self._answered = self.cycle
        super().on_response_complete()
        self._follower.next()
        self._keep_alive = None
        if self.transport.is_closing():
            return
        if self._held:
            self._unset_keepalive_if_required()
            self.loop.call_soon(self._take_held)
        else:
            self._door.idle(self)

    def _take_held(self) -> None:
        held, self._held = self._held, b""
        if not self.transport.is_closing():
            self.data_received(held)

    # -- time

    def _wait(self, seconds: float) -> None:
        self._calm()
        self._patience = self.loop.call_later(seconds, self._out_of_patience)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _out_of_patience(self) -> None:
        self._patience = None
        follower, limits, now = self._follower, self._limits, self.loop.time()
        if not follower.begun:
            self.transport.close()
        elif self.flow.read_paused:  # it is the gateway that makes it wait
            self._pace.begin(now)
            self._wait(limits.body_idle_seconds)
        elif not follower.in_body:
            fault = FaultError("too_slow", f"its head took over {limits.head_seconds:g} s")
            self._refuse(fault, follower.kept)
        else:
            try:
                self._wait(self._pace.patience(now))
            except FaultError as fault:
                self._refuse(fault, b"")

    # -- a client that does not read

    def pause_writing(self) -> None:
        """Much is waiting to be read by the client: whoever writes waits, and not for ever."""
        super().pause_writing()
        if self._reading is not None:
            self._reading.watch()

    def resume_writing(self) -> None:
        """The client has read."""
        if self._reading is not None:
            self._reading.unwatch()
        super().resume_writing()

    # -- refusing

    def send_400_response(self, msg: str) -> None:
        """What the parser does not take although the guard did."""
        self._refuse(FaultError("malformed_chunk" if self._follower.in_body else "malformed_head", msg), b"")

    def _refuse(self, fault: FaultError, head: bytes) -> None:
        """Hears nothing more, records, answers, closes."""
        if self._deaf:
            return
        self._deaf = True
        self._held = b""
        self._calm()
        self._unset_keepalive_if_required()
        self._door.busy(self)
        refusal = refusal_of(fault, head or self._head_under_way(), self._peer())
        task = self.loop.create_task(self._tell(refusal, self._let_go_of_cycle()))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _peer(self) -> str:
        return f"{self.client[0]}:{self.client[1]}" if self.client else ""

    def _head_under_way(self) -> bytes:
        """Enough of the head of the request whose body is at fault to name it."""
        if not self._follower.in_body or self.scope is None:
            return b""
        return b"%b %b HTTP/1.1\r\n" % (self.scope["method"].encode(), self.scope["raw_path"])

    async def _tell(self, refusal: DoorRefusal, answered: bool) -> None:
        try:
            exchange_id = await self._door.refused(refusal)
            if not answered and not self.transport.is_closing():
                self.transport.write(answer(refusal, exchange_id))
        finally:
            self.transport.close()

    def _let_go_of_cycle(self) -> bool:
        """The request under way will not be whole: its exchange sees the client leave, and its answer is dropped.
        Whether that answer has begun already."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return cycle.response_started

    def _unread(self) -> bool:
        """Asked when the connection is closed: whether the client may be in the midst of sending."""
        unread = self._deaf or (self._follower.begun and not self._follower.whole)
        self._deaf = True
        self._calm()
        return unread
