"""uvicorn's HTTP protocol behind the guard: it is handed one whole request at a time, in order, and nothing else."""

import asyncio
from typing import Any, cast

from gateway.edge.guard.door import AtTheDoor
from gateway.edge.guard.faults import FaultError, answer, refusal_of
from gateway.edge.guard.follower import Follower
from gateway.edge.protocol import CorkedHttpProtocol


class GuardedHttpProtocol(CorkedHttpProtocol):
    """One connection of a client. The application must have a `door` (`AtTheDoor`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door = cast("AtTheDoor", self.config.app).door
        self._limits = self._door.limits
        self._follower = Follower()
        self._held = b""  # pipelined requests; they are not looked at before the one under way is answered
        self._deaf = False
        self._answered = self.cycle
        self._keep_alive: bool | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._reader_watch: asyncio.TimerHandle | None = None
        self._waiting_bytes = 0
        self._began = 0.0
        self._heard = 0.0
        self._received = 0

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection over, or refuses it where there are too many."""
        super().connection_made(transport)
        if self._door.enter(self):
            self._wait(self._limits.first_byte_seconds)
        else:
            self._refuse(FaultError("too_many_connections"), b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """Leaves."""
        self._deaf = True
        self._calm()
        self._unwatch_reader()
        self._door.left(self)
        super().connection_lost(exc)

    def leave(self) -> None:
        """Closes an idle connection to make room for another."""
        self.transport.close()

    def shutdown(self) -> None:
        """Closes after the answer under way."""
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
            self._hold(data)
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
            self._hold(rest)

    def _unfinished(self, size: int, begun: bool) -> None:
        self._heard = self.loop.time()
        if not begun:
            self._began, self._received = self._heard, 0
            self._wait(self._limits.head_seconds)
        if not self._follower.in_body:
            self._unset_keepalive_if_required()
            return
        if self._keep_alive is None:  # an answer before the body's end is the last one on this connection
            self._began, self._keep_alive = self._heard, self.cycle.keep_alive
            self._wait(self._limits.body_idle_seconds)
            self.cycle.keep_alive = False
        self._received += size

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
        elif self.flow.read_paused:  # the gateway makes it wait
            self._heard = self._began = now
            self._received = 0
            self._wait(limits.body_idle_seconds)
        elif not follower.in_body:
            self._refuse(
                FaultError("too_slow", f"its head took over {limits.head_seconds:g} s"), follower.kept
            )
        else:
            self._judge_pace(now)

    def _judge_pace(self, now: float) -> None:
        limits = self._limits
        silent_until = self._heard + limits.body_idle_seconds
        whole_until = self._began + limits.body_grace_seconds + self._received / limits.body_bytes_per_second
        until = min(silent_until, whole_until)
        if now < until:
            self._wait(until - now)
        elif now >= silent_until:
            self._refuse(FaultError("too_slow", f"its body paused for {limits.body_idle_seconds:g} s"), b"")
        else:
            rate = limits.body_bytes_per_second
            self._refuse(FaultError("too_slow", f"its body came at less than {rate} bytes a second"), b"")

    # -- a client that does not read

    def pause_writing(self) -> None:
        """Much is waiting to be read by the client: whoever writes waits, and not for ever."""
        super().pause_writing()
        self._unwatch_reader()
        self._watch_reader()

    def resume_writing(self) -> None:
        """The client has read."""
        self._unwatch_reader()
        super().resume_writing()

    def _watch_reader(self) -> None:
        self._waiting_bytes = self.transport.get_write_buffer_size()
        self._reader_watch = self.loop.call_later(self._limits.read_seconds, self._judge_reader)

    def _unwatch_reader(self) -> None:
        if self._reader_watch is not None:
            self._reader_watch.cancel()
            self._reader_watch = None

    def _judge_reader(self) -> None:
        limits = self._limits
        read = self._waiting_bytes - self.transport.get_write_buffer_size()
        if read < limits.read_seconds * limits.read_bytes_per_second:
            self.transport.abort()  # its exchange, where one is under way, sees the client leave
        else:
            self._watch_reader()

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
        task = self.loop.create_task(self._tell(fault, head or self._head_under_way()))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _head_under_way(self) -> bytes:
        """Enough of the head of the request whose body is at fault to name it."""
        if not self._follower.in_body or self.scope is None:
            return b""
        return b"%b %b HTTP/1.1\r\n" % (self.scope["method"].encode(), self.scope["raw_path"])

    async def _tell(self, fault: FaultError, head: bytes) -> None:
        peer = f"{self.client[0]}:{self.client[1]}" if self.client else ""
        refusal = refusal_of(fault, head, peer)
        answered = self._let_go_of_cycle()
        exchange_id = await self._door.refused(refusal)
        if self.transport.is_closing():
            return
        if not answered:
            self.transport.write(answer(refusal, exchange_id))
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
