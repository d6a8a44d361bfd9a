"""The questions that people ask, and how long their answers take: cold and warm."""

from __future__ import annotations

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
from sinks.filters import FrameFilter, SessionFilter
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
    """Milliseconds of the tries of a question, sorted."""

    question: Question
    cold: list[float]
    warm: list[float]
    rows: int


def questions(reader: SqlReader, until: str, ids: Mapping[str, Sequence[str]]) -> list[Question]:
    """The questions, over a trail whose last frame is at `until`, with ids out of it."""

    def day(number: int) -> str:
        return iso(moment(until) - timedelta(days=number))

    def some(what: str, number: int) -> str:
        return ids[what][number % len(ids[what])]

    month = day(DAYS)
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
            "session list, with a rare word",
            lambda n: reader.sessions(SessionFilter(text=RARE[n % 2].word), 50),
            1_000,
        ),
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
            "exchanges of 1,000 frames",
            lambda n: reader.session_exchanges(some("long_sessions", n), 2_000),
        ),
        Question("one exchange with its frames", lambda n: reader.exchange(some("exchanges", n))),
        Question("search for a rare word", lambda _n: reader.frames(_having(RARE[0].word), 50), 1_000),
        Question(
            "search for a word of 1 in 20,000", lambda _n: reader.frames(_having(RARE[1].word), 50), 1_000
        ),
        Question("top denied tools, a month", lambda _n: reader.query(TOP_DENIED)),
        Question(
            "one person's month",
            lambda n: reader.sessions(SessionFilter(principal=f"person{n * 7}@example.com", since=month), 50),
        ),
        Question(
            "counts and histogram, a day",
            lambda n: reader.session_counts(SessionFilter(since=day(n + 1), until=day(n)), 48),
        ),
        Question(
            "counts and histogram, a month, one connection",
            lambda n: reader.session_counts(
                SessionFilter(since=month, until=until, connection=CONNECTIONS[n % len(CONNECTIONS)]), 60
            ),
        ),
        Question("overview, a day", lambda n: reader.overview(day(n + 1), day(n))),
        Question("options of the filters", lambda _n: reader.options()),
    ]


TOP_DENIED = """
SELECT connection, tool, count() AS denied FROM exchanges_index FINAL
WHERE verdict = 'deny' AND tool != '' GROUP BY connection, tool ORDER BY denied DESC LIMIT 10"""


def _having(word: str) -> FrameFilter:
    return FrameFilter(text=word, newest=True)


async def measure(question: Question, client: Client, store: Path) -> Latency:
    """Each try once with nothing of the store in memory, and once again right after."""
    cold, warm, rows = [], [], 0
    for number in range(TRIES):
        forget(client, store)
        answer, spent = await _timed(question.ask, number)
        cold.append(spent)
        answer, spent = await _timed(question.ask, number)
        warm.append(spent)
        rows += len(answer) if isinstance(answer, list) else len(getattr(answer, "rows", [answer]))
    return Latency(question, sorted(cold), sorted(warm), rows // TRIES)


async def _timed(ask: Ask, number: int) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = await ask(number)
    return answer, (time.perf_counter() - start) * 1_000


def forget(client: Client, store: Path) -> None:
    """Drops what the engine and the operating system keep of the store in memory."""
    for cache in ("MARK", "INDEX MARK", "UNCOMPRESSED", "QUERY CONDITION", "PRIMARY INDEX"):
        client.command(f"SYSTEM DROP {cache} CACHE")
    client.command("SYSTEM DROP TEXT INDEX CACHES")
    for path in store.rglob("*"):
        _let_go(path)


def _let_go(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # merged away in the meantime
        return
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
