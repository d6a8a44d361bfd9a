"""How slowly a client may send, and read: judged by numbers, on the loop's clock."""

import asyncio

from gateway.edge.guard.door import DoorLimits
from gateway.edge.guard.faults import FaultError


class SendingPace:
    """The pace of one request. Times are seconds of a monotonic clock."""

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._began = self._heard = 0.0
        self._received = 0

    def begin(self, now: float) -> None:
        """The body begins, or the client was made to wait: from here on it counts anew."""
        self._began = self._heard = now
        self._received = 0

    def came(self, size: int, now: float) -> None:
        """So many bytes of the body have come."""
        self._heard = now
        self._received += size

    def patience(self, now: float) -> float:
        """Seconds until it is to be judged again. Raises FaultError when the body comes too slowly."""
        limits = self._limits
        silent_until = self._heard + limits.body_idle_seconds
        if now >= silent_until:
            raise FaultError("too_slow", f"its body paused for {limits.body_idle_seconds:g} s")
        whole_until = self._began + limits.body_grace_seconds + self._received / limits.body_bytes_per_second
        if now >= whole_until:
            raise FaultError(
                "too_slow", f"its body came at less than {limits.body_bytes_per_second} bytes a second"
            )
        return min(silent_until, whole_until) - now


class ReadingPace:
    """Watches a client for which much is waiting, and breaks the connection off when it hardly reads."""

    def __init__(self, transport: asyncio.WriteTransport, limits: DoorLimits) -> None:
        self._transport = transport
        self._limits = limits
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """From now on, until `unwatch`."""
        self.unwatch()
        self._waiting = self._transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limits.read_seconds, self._judge)

    def unwatch(self) -> None:
        """The client has read, or has left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _judge(self) -> None:
        read = self._waiting - self._transport.get_write_buffer_size()
        if read < self._limits.read_seconds * self._limits.read_bytes_per_second:
            self._transport.abort()  # its exchange, where one is under way, sees the client leave
        else:
            self.watch()
