"""Callers that go on calling whatever happens, and remember what they were told."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp

CALL_TIMEOUT_SECONDS = 40
RETRY_SECONDS = 0.1


class Load:
    """`callers` at once; every call has a mark of its own. `acknowledged`: marks whose answer came back whole."""

    def __init__(self, url: str, callers: int, calls_a_second: float) -> None:
        self._url = url
        self._callers = callers
        self._pause = callers / calls_a_second
        self.calls = 0
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.acknowledged: set[str] = set()
        self.withheld: set[str] = set()
        self.told: Counter[str] = Counter()
        self.longest_gap_seconds = 0.0
        self._last = 0.0

    async def flows(self, calls: int, seconds: float) -> None:
        """Returns when so many more calls are acknowledged. Raises TimeoutError when that takes too long."""
        goal = len(self.acknowledged) + calls
        async with asyncio.timeout(seconds):
            while len(self.acknowledged) < goal:
                await asyncio.sleep(0.05)

    def start(self) -> None:
        """Begins to call."""
        self._last = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._call_on()) for _ in range(self._callers)]

    async def stop(self) -> None:
        """Ends after the calls under way."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    async def _call_on(self) -> None:
        timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not self._stopping.is_set():
                await self._call(session, self._next_mark())
                await asyncio.sleep(self._pause)

    def _next_mark(self) -> str:
        self.calls += 1
        return f"m-{self.calls}"

    async def _call(self, session: aiohttp.ClientSession, mark: str) -> None:
        arguments = f'{{"mark":"{mark}"}}'
        body = (
            '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"probe","arguments":%s}}'
            % arguments
        )
        try:
            async with session.post(
                self._url, data=body, headers={"Content-Type": "application/json"}
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as exc:
            self.told[type(exc).__name__] += 1
            await asyncio.sleep(RETRY_SECONDS)
            return
        self.told[str(answer.status)] += 1
        if answer.status == 200 and mark in text:
            self.acknowledged.add(mark)
            now = asyncio.get_running_loop().time()
            self.longest_gap_seconds = max(self.longest_gap_seconds, now - self._last)
            self._last = now
        elif "withheld" in text:
            self.withheld.add(mark)
        else:
            await asyncio.sleep(RETRY_SECONDS)
