"""Clients whose calls are held: each waits on its stream, and repeats the call until its fate is final."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Literal
from urllib.parse import urlsplit

Wish = Literal["approve", "deny", "expire", "gone"]
End = Literal[
    "done", "denied", "expired", "waiting", "not executed", "withheld", "broken", "silent", "left", "other"
]

SILENT_SECONDS = 20.0
"""Without a byte, although a sign of life is due each second: nobody is at work on it any more."""

PAUSE_SECONDS = (0.5, 2.0)
_APPROVAL = re.compile(rb"Approval ([0-9a-f-]{36})")
_REASON = re.compile(rb'"reason":\s*"([a-z_]+)"')
_WORDS: tuple[tuple[bytes, End], ...] = (
    (b'"approval_denied"', "denied"),
    (b'"approval_expired"', "expired"),
    (b'"approval_pending"', "waiting"),
    (b"result withheld", "withheld"),
    (b"may have executed", "withheld"),
    (b"ot executed", "not executed"),
)


@dataclass
class Attempt:
    """One request. `number` is its JSON-RPC id; times are of the event loop; `reason` is what the answer said."""

    number: int
    gateway: int
    began: float
    ended: float = 0.0
    end: End = "silent"
    reason: str = ""
    approvals: set[str] = field(default_factory=set)

    def waited_at(self, moment: float) -> bool:
        """Whether its client stood there then, and its connection held to the end."""
        return self.began < moment < self.ended and self.end not in ("broken", "left")


@dataclass
class HeldCall:
    """One call: what people will say to it, and what was told to its client."""

    mark: str
    wish: Wish
    agent: int
    attempts: list[Attempt] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)  # also once it is final
    final: bool = False


class Crowd:
    """Keeps calls under way until it is stopped."""

    def __init__(self, urls: Sequence[str], tokens: Sequence[str], random: Random) -> None:
        self.calls: dict[str, HeldCall] = {}
        self.told: Counter[str] = Counter()
        self._places = [(url.hostname or "", url.port or 0, url.path) for url in map(urlsplit, urls)]
        self._tokens = tokens
        self._random = random
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, waiting: int) -> None:
        """Begins to call; so many wait at a time."""
        self._tasks = [asyncio.create_task(self._go_on(number)) for number in range(waiting)]

    async def stop(self, seconds: float) -> None:
        """Begins no more calls, and waits until those under way are final, or so long; the rest is cut off."""
        self._stopping = True
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self.check()

    async def flows(self, calls: int, seconds: float) -> None:
        """Returns when so many calls are final. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while self.finals < calls:
                self.check()
                await asyncio.sleep(0.05)

    @property
    def finals(self) -> int:
        """How many calls are final."""
        return sum(call.final for call in self.calls.values())

    def check(self) -> None:
        """Raises what a client raised."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _go_on(self, number: int) -> None:
        while not self._stopping:
            mark = f"m-{len(self.calls)}"
            wish: Wish = self._random.choices(("approve", "deny", "expire", "gone"), (50, 20, 20, 10))[0]
            call = self.calls[mark] = HeldCall(mark, wish, number % len(self._tokens))
            await self._carry(call)
            call.final = True
            call.left.set()

    async def _carry(self, call: HeldCall) -> None:
        """Until its fate is final."""
        gateway = self._random.randrange(len(self._places))
        for number in count(1):
            attempt = Attempt(number, gateway, asyncio.get_running_loop().time())
            call.attempts.append(attempt)
            await self._try(call, attempt)
            attempt.ended = asyncio.get_running_loop().time()
            self.told[f"{attempt.end} {attempt.reason}".strip()] += 1
            if _settles(call, attempt):
                return
            if attempt.end == "broken":
                gateway = (gateway + 1) % len(self._places)
            await asyncio.sleep(self._random.uniform(*PAUSE_SECONDS))

    async def _try(self, call: HeldCall, attempt: Attempt) -> None:
        host, port, path = self._places[attempt.gateway]
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            attempt.end = "broken"
            return
        try:
            writer.write(_request(call, attempt, f"{host}:{port}", path, self._tokens[call.agent]))
            await _listen(reader, call, attempt)
        except (asyncio.IncompleteReadError, ConnectionError):
            attempt.end = "broken"
        except TimeoutError:
            attempt.end = "silent"
        finally:
            writer.close()


def _settles(call: HeldCall, attempt: Attempt) -> bool:
    final: dict[Wish, set[End]] = {
        "approve": {"done", "denied"},  # denied: people saw that it had run
        "deny": {"done", "denied"},
        "expire": {"done", "expired"},
        "gone": {"done", "left", "broken"},
    }
    return attempt.end in final[call.wish]


def _request(call: HeldCall, attempt: Attempt, host: str, path: str, token: str) -> bytes:
    """Every second client asks for progress: what it is told is recorded, the others get comments."""
    tool = "drain_node" if call.wish == "expire" else "delete_pod"
    meta = ',"_meta":{"progressToken":"p"}' if int(call.mark[2:]) % 2 or call.wish == "gone" else ""
    body = (
        '{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s","arguments":{"mark":"%s"}%s}}'
        % (attempt.number, tool, call.mark, meta)
    )
    return (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
        f"mcp-protocol-version: 2025-11-25\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def _listen(reader: asyncio.StreamReader, call: HeldCall, attempt: Attempt) -> None:
    """Until the answer is whole. Raises IncompleteReadError, ConnectionError; TimeoutError when nothing comes."""
    async with asyncio.timeout(SILENT_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    said = b""
    if b"transfer-encoding: chunked" not in head.lower():
        length = re.search(rb"content-length: (\d+)", head.lower())
        async with asyncio.timeout(SILENT_SECONDS):
            said = await reader.readexactly(int(length[1]) if length else 0)
    else:
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                chunk = await _chunk(reader)
            if not chunk:
                break
            said += chunk
            attempt.approvals.update(found.decode() for found in _APPROVAL.findall(said))
            if call.wish == "gone" and attempt.approvals:
                attempt.end = "left"
                call.left.set()
                return
    attempt.approvals.update(found.decode() for found in _APPROVAL.findall(said))
    attempt.end = _meaning(said, call.mark)
    reasons = _REASON.findall(said)
    attempt.reason = reasons[-1].decode() if reasons else ""


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = int((await reader.readuntil(b"\r\n")).strip(), 16)
    return (await reader.readexactly(size + 2))[:size]


def _meaning(said: bytes, mark: str) -> End:
    if b'"result":{"content":[],"mark":"%b"' % mark.encode() in said:
        return "done"
    return next((end for words, end in _WORDS if words in said), "other")
