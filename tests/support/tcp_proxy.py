"""A TCP proxy whose way can be stalled, slowed or cut: what a network does to a broker."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class TcpProxy:
    """Passes bytes between its own port and `target`, as long as `flowing` and after `delay_seconds` a chunk."""

    def __init__(self, target_host: str, target_port: int, port: int = 0) -> None:
        self._target = (target_host, target_port)
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = False
        self.delay_seconds = 0.0

    async def start(self) -> None:
        """Listens; the port is `port` from here on."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._wanted_port)

    @property
    def port(self) -> int:
        """The port that clients use."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def stall(self) -> None:
        """Connections stay open and are accepted, but nothing moves: the peer hangs."""
        self._flowing.clear()

    def release(self) -> None:
        """Everything moves again, what was held back first."""
        self._refusing = False
        self._flowing.set()

    def cut(self) -> None:
        """Breaks every connection and refuses new ones: the peer is down."""
        self._refusing = True
        for writer in list(self._open):
            writer.transport.abort()

    async def stop(self) -> None:
        """Ends everything."""
        assert self._server is not None
        self.cut()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while data := await source.read(65536):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        self._open.discard(sink)
        sink.transport.abort()
