"""Both sides of a WebSocket that the gateway stands between, as one exchange reads and writes them."""

import asyncio
from collections.abc import Iterable

from gateway.edge.sockets.wire import ABNORMAL, NO_CODE, Came, Over, Wire, sendable
from gateway.effects import Broken, Ended, Gone, Message, Messages, Quiet

TAKEN_MAX = 256  # messages of each side that go into one record together
TAKEN_BYTES_MAX = 1024 * 1024
LAST_WORDS_SECONDS = 15.0  # how long what a side said before its end waits for the other to read
GOING_AWAY = 1001
IDLE_SECONDS = 4 * 3600.0  # as the kubelet's own limit on streams without traffic


class Conduit:
    """Made when upstream has taken the WebSocket; `open` adds the client's side.

    Of a side nothing is taken while the other does not read: so nothing heaps up between them, and a program that
    must write before it reads on is never kept from writing.
    """

    def __init__(self, upstream: Wire, idle_seconds: float = IDLE_SECONDS) -> None:
        self._loop = asyncio.get_running_loop()
        self._upstream = upstream
        self._client: Wire | None = None
        self._idle_seconds = idle_seconds
        self._fault: Broken | Gone | None = None
        self._wait: asyncio.Future[None] | None = None
        self._closed = False
        upstream.changed = self._wake

    def open(self, client: Wire | None) -> None:
        """The client's side; None when it has left before its handshake could be answered."""
        self._client = client
        if client is None:
            self.fail(Gone())
        else:
            client.changed = self._wake

    async def read(self, quiet_seconds: float | None) -> Messages | Quiet | Ended | Broken | Gone:
        """What has come, or that nothing has for so long."""
        idle = quiet_seconds is None or quiet_seconds >= self._idle_seconds
        until = self._loop.time() + (self._idle_seconds if quiet_seconds is None or idle else quiet_seconds)
        while True:
            found = self._fault or self._has_come()
            if found is not None:
                return found
            if self._loop.time() >= until:
                return Broken("timed_out", "socket_idle", f"{self._idle_seconds:g} s") if idle else Quiet()
            await self._changed(until)

    def send(self, to_client: bool, data: bytes, text: bool) -> None:
        """Passes a message on."""
        wire = self._client if to_client else self._upstream
        if wire is not None:
            wire.send(data, text)

    def fail(self, fact: Broken | Gone) -> None:
        """The next read ends so."""
        self._fault = self._fault or fact
        self._wake()

    def close(self, code: int, reason: str) -> None:
        """Ends both sides. Upstream learns of ends that the gateway makes only that nobody is there any more."""
        if self._closed:
            return
        self._closed = True
        client, upstream = self._client, self._upstream
        made_here = upstream.over is None and (client is None or client.over is None)
        for wire in filter(None, (client, upstream)):
            if wire.over is not None:
                wire.close(wire.over.code if sendable(wire.over.code) else NO_CODE)
            elif made_here and wire is upstream:
                wire.close(GOING_AWAY)
            else:
                wire.close(code, reason)

    # -- what has come

    def _has_come(self) -> Messages | Ended | None:
        client, upstream = self._client, self._upstream
        if client is None:
            return None
        for wire in (client, upstream):
            if wire.over is not None and not wire.waiting:
                return _ended(wire.over, wire is client)
        messages = self._messages(client, upstream)
        if messages:
            return Messages(messages)
        for wire in (client, upstream):
            if wire.over is not None and self._loop.time() >= wire.over.at + LAST_WORDS_SECONDS:
                return _ended(wire.over, wire is client)
        return None

    @staticmethod
    def _messages(client: Wire, upstream: Wire) -> list[Message]:
        said = client.take(TAKEN_MAX, TAKEN_BYTES_MAX) if upstream.writable else []
        answered = upstream.take(TAKEN_MAX, TAKEN_BYTES_MAX) if client.writable else []
        if said and answered:
            return _in_order(said, answered)
        return [Message(bool(said), each.data, each.text) for each in said or answered]

    def _wake(self) -> None:
        if self._wait is not None and not self._wait.done():
            self._wait.set_result(None)

    async def _changed(self, until: float) -> None:
        ends = [w.over.at + LAST_WORDS_SECONDS for w in self._sides() if w.over is not None]
        self._wait = self._loop.create_future()
        timer = self._loop.call_at(min([until, *ends]), self._wake)
        try:
            await self._wait
        finally:
            timer.cancel()

    def _sides(self) -> Iterable[Wire]:
        return filter(None, (self._client, self._upstream))


def _in_order(said: list[Came], answered: list[Came]) -> list[Message]:
    """Both sides' messages as they came; of two at once the client's is first."""
    both = [(each.at, 0, each) for each in said] + [(each.at, 1, each) for each in answered]
    both.sort(key=lambda one: one[:2])
    return [Message(side == 0, each.data, each.text) for _, side, each in both]


def _ended(over: Over, from_client: bool) -> Ended:
    return Ended(from_client, over.code if over.code else ABNORMAL, over.reason, over.fault)
