"""The questions that people ask, and how long their answers take: cold and warm."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from benchmarks.trail.drawing import CONNECTIONS, DAYS, RARE
from benchmarks.trail.words import TOOLS
from sinks.clickhouse import DATABASE
from sinks.filters import FrameFilter, SessionFilter
from sinks.overview_queries import OverviewQueries
from sinks.rows import iso
from sinks.spans import moment
from sinks.sql_reader import SqlReader

Ask = Callable[[int], Awaitable[Any]]
TRIES = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `ask` takes the number of the try. `bound_ms`: what it may take at most, 0 for no bound."""

    name: str
    ask: Ask
    bound_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of the tries of a question, sorted; `cpu` is the processor time of the warm ones, which does not
    depend on what else the machine does."""

    question: Question
    cold: list[float]
    warm: list[float]
    cpu: list[float]
    rows: int


@dataclass(frozen=True)
class Trail:
    """A filled store to be asked: its last frame is at `until`; `ids` are out of it."""

    reader: SqlReader
    client: Client
    until: str
    ids: Mapping[str, Sequence[str]]

    def day(self, number: int) -> str:
        """So many days before the end."""
        return iso(moment(self.until) - timedelta(days=number))

    def some(self, what: str, number: int) -> str:
        """An id, another one for each number."""
        return self.ids[what][number % len(self.ids[what])]

    def top_denied(self) -> Sequence[Any]:
        """The tools that were denied most in the month."""
        top = OverviewQueries(DATABASE).top("denied_tools", self.day(DAYS), self.until, None)
        return list(self.client.query(*top).result_rows)


def questions(trail: Trail) -> list[Question]:
    """What people ask, most often first."""
    return [*_lists(trail), *_replays(trail), *_searches(trail), *_sums(trail)]


def _lists(trail: Trail) -> list[Question]:
    reader, day = trail.reader, trail.day
    return [
        Question("session list, first page", lambda n: reader.sessions(SessionFilter(before=day(n)), 50)),
        Question(
            "session list, by tool and verdict, a week",
            lambda n: reader.sessions(
                SessionFilter(tool=TOOLS[-20 + n], verdict="deny", since=day(n + 7), until=day(n)), 50
            ),
        ),
        Question(
            "session list, by tool, all time",
            lambda n: reader.sessions(SessionFilter(tool=TOOLS[n % len(TOOLS)]), 50),
        ),
        Question(
            "one person's month",
            lambda n: reader.sessions(
                SessionFilter(principal=f"person{n * 7}@example.com", since=day(DAYS)), 50
            ),
        ),
    ]


def _replays(trail: Trail) -> list[Question]:
    reader, some = trail.reader, trail.some
    return [
        Question(
            "replay of a session",
            lambda n: reader.frames(FrameFilter(session=some("sessions", n)), 2_000),
            50,
        ),
        Question(
            "replay of 1,000 frames",
            lambda n: reader.frames(FrameFilter(session=some("long_sessions", n)), 2_000),
        ),
        Question(
            "exchanges of 1,000 frames", lambda n: reader.session_exchanges(some("long_sessions", n), 2_000)
        ),
        Question("one exchange with its frames", lambda n: reader.exchange(some("exchanges", n))),
    ]


def _searches(trail: Trail) -> list[Question]:
    reader, (rarest, rare) = trail.reader, RARE
    return [
        Question("search for a rare word", lambda _n: reader.frames(_having(rarest.word), 50), 1_000),
        Question(
            "search for a word of 1 in 20,000 frames", lambda _n: reader.frames(_having(rare.word), 50), 1_000
        ),
        Question(
            "session list, with such a word",
            lambda _n: reader.sessions(SessionFilter(text=rare.word), 50),
            1_000,
        ),
    ]


def _sums(trail: Trail) -> list[Question]:
    reader, day = trail.reader, trail.day
    return [
        Question("top denied tools, a month", lambda _n: asyncio.to_thread(trail.top_denied)),
        Question(
            "counts and histogram, a day",
            lambda n: reader.session_counts(SessionFilter(since=day(n + 1), until=day(n)), 48),
        ),
        Question(
            "counts and histogram, a month, one connection",
            lambda n: reader.session_counts(
                SessionFilter(
                    since=day(DAYS), until=trail.until, connection=CONNECTIONS[n % len(CONNECTIONS)]
                ),
                60,
            ),
        ),
        Question("overview, a day", lambda n: reader.overview(day(n + 1), day(n))),
        Question("options of the filters", lambda _n: reader.options()),
    ]


def _having(word: str) -> FrameFilter:
    return FrameFilter(text=word, newest=True)


async def measure(question: Question, client: Client, store: Path, tries: int = TRIES) -> Latency:
    """Each try once with nothing of the store in memory, and once again right after."""
    cold, warm, cpu, rows = [], [], [], 0
    for number in range(tries):
        forget(client, store)
        answer, spent = await _timed(question.ask, number)
        cold.append(spent)
        before = time.process_time()
        answer, spent = await _timed(question.ask, number)
        warm.append(spent)
        cpu.append((time.process_time() - before) * 1_000)
        rows += len(answer) if isinstance(answer, list) else 1
    return Latency(question, sorted(cold), sorted(warm), sorted(cpu), rows // tries)


async def _timed(ask: Ask, number: int) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = await ask(number)
    return answer, (time.perf_counter() - start) * 1_000


def forget(client: Client, store: Path) -> None:
    """Drops what the engine and the operating system keep of the store in memory."""
    for cache in ("MARK", "INDEX MARK", "UNCOMPRESSED", "QUERY CONDITION", "PRIMARY INDEX"):
        client.command(f"SYSTEM DROP {cache} CACHE")
    client.command("SYSTEM DROP TEXT INDEX CACHES")
    for folder, _folders, names in os.walk(store):  # leaves out what merges take away meanwhile
        for name in names:
            _let_go(Path(folder, name))


def _let_go(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # merged away in the meantime
        return
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
