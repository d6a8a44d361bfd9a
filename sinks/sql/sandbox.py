"""Free SQL in a process of its own, over a snapshot of the store; one question at a time, each within its time.

The process is kept while questions come, and made anew when what it looks at is old: what retention took away must
not stay readable, nor on the disk, because somebody once asked.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreError, StoreThread
from sinks.sql import wire
from sinks.sql.configuration import SECONDS_MAX
from sinks.sql.snapshot import clear_snapshots, take_snapshot
from sinks.sql.snapshot_paths import Snapshot

log = structlog.get_logger(__name__)

FRESH_S = 3.0
IDLE_S = 60.0
_START_S = 60.0
_ANSWER_S = SECONDS_MAX + 10.0
_ROOT = Path(__file__).parents[2]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sinks.sql.child import main; main()"


@dataclass(frozen=True, slots=True)
class Question:
    """One statement; `form` is the format of the answer where the statement names none."""

    sql: str
    form: str = "JSON"
    params: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: `body` in the format `form`, or `error` with ClickHouse's `code`."""

    form: str = ""
    body: bytes = b""
    seconds: float = 0.0
    code: int = 0
    error: str = ""
    rows: int = 0


class Sandbox:
    """Answers questions about the embedded store at `address`, which this process owns."""

    def __init__(
        self, address: ClickHouseAddress, *, fresh_s: float = FRESH_S, idle_s: float = IDLE_S
    ) -> None:
        self._address = address
        self._folder = address.path.with_suffix(".look")
        self._thread = StoreThread(address.connect, "store-freeze")
        self._fresh_s, self._idle_s = fresh_s, idle_s
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._snapshot: Snapshot | None = None
        self._made_at = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._asleep = asyncio.Event()

    def clear(self) -> None:
        """Removes what a killed process left; for the one sandbox of a process, before it is asked anything."""
        clear_snapshots(self._address.path, self._folder)

    async def ask(self, question: Question) -> Answer:
        """What the question gives. Raises StoreAwayError when the sandbox cannot be had or broke down."""
        async with self._turn:
            self._keep_awake()
            process = await self._ready()
            try:
                async with asyncio.timeout(_ANSWER_S):
                    head, body = await _exchange(process, question)
            except (TimeoutError, OSError, EOFError, ValueError) as exc:
                await self._end()
                return Answer(code=159, error=f"the question was ended: {_why(exc)}")
            except BaseException:
                await self._end()  # an answer nobody took must not be given to the next question
                raise
            return Answer(
                head.get("format", ""),
                body,
                head.get("seconds", 0.0),
                head["code"],
                head.get("error", ""),
                head.get("rows", 0),
            )

    async def asleep(self) -> None:
        """Returns when there is no process, and no snapshot is held."""
        await self._asleep.wait()

    async def close(self) -> None:
        """Ends the process and gives back what its snapshot holds."""
        async with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            await self._end()
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self._thread.close()

    async def _ready(self) -> Process:
        now = asyncio.get_running_loop().time()
        if (
            self._process is not None
            and self._process.returncode is None
            and now - self._made_at < self._fresh_s
        ):
            return self._process
        await self._end()
        try:
            self._snapshot = await self._thread.call(self._take)
        except (ClickHouseError, OSError, StoreError) as exc:
            raise StoreAwayError(f"no snapshot of {self._address} could be made: {exc}") from exc
        self._made_at = now
        self._asleep.clear()
        self._process = await _started(self._snapshot, self._address.database)
        try:
            async with asyncio.timeout(_START_S):
                head, _body = await wire.receive(_stdout(self._process))
        except (TimeoutError, EOFError, ValueError) as exc:
            await self._end()
            raise StoreAwayError(f"the sandbox for SQL did not start: {_why(exc)}") from exc
        if head["code"]:
            await self._end()
            raise StoreAwayError(f"free SQL is not available here: {head['error']}")
        return self._process

    def _take(self, client: Any) -> Snapshot:
        return take_snapshot(client, self._address.path, self._address.database, self._folder)

    def _keep_awake(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._fall_asleep)

    def _fall_asleep(self) -> None:
        task = asyncio.create_task(self._end_in_turn())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end_in_turn(self) -> None:
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        snapshot, self._snapshot = self._snapshot, None
        if process is not None:
            await _killed(process)
        if snapshot is not None:
            await asyncio.to_thread(snapshot.remove)
        self._asleep.set()


async def _started(snapshot: Snapshot, database: str) -> Process:
    with (snapshot.root / "log").open("wb") as said:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", _START, str(_ROOT), str(snapshot.root), database,
            stdin=PIPE, stdout=PIPE, stderr=said, env={"PATH": os.defpath, "TZ": "UTC"}, cwd=snapshot.engine,
            start_new_session=True, limit=wire.BYTES_MAX,
        )  # fmt: skip


async def _exchange(process: Process, question: Question) -> wire.Message:
    assert process.stdin is not None
    asked = {"sql": question.sql, "format": question.form}
    given = {"params": dict(question.params), "settings": dict(question.settings)}
    process.stdin.write(wire.packed(asked | given))
    await process.stdin.drain()
    return await wire.receive(_stdout(process))


async def _killed(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
        with suppress(OSError):
            await process.stdin.wait_closed()


def _stdout(process: Process) -> asyncio.StreamReader:
    assert process.stdout is not None
    return process.stdout


def _why(exc: BaseException) -> str:
    if isinstance(exc, TimeoutError):
        return f"it took longer than {_ANSWER_S:.0f} seconds"
    if isinstance(exc, EOFError):
        return "the sandboxed process died, of memory or of processor time"
    return str(exc)
