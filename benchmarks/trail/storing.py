"""Putting drawn frames into an embedded store the sink's own way: cut into batches, looked at, packed, inserted."""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client

from benchmarks.trail.drawing import Drawn, Plan, draw
from sinks.batches import Intake, sort
from sinks.seen import SeenFrames
from sinks.settings import SinkSettings
from sinks.store import insert
from sinks.tables import frames_target

TOPIC = "audit"
_AHEAD = 3
_KEPT = 40


@dataclass(slots=True)
class Record:
    """A record as the consumer gives it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass
class Stored:
    """What was stored, and ids to ask for."""

    frames: int = 0
    avro_bytes: int = 0
    seconds: float = 0.0
    sessions: list[str] = field(default_factory=list)
    long_sessions: list[str] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)


def store(client: Client, plan: Plan, settings: SinkSettings) -> Iterator[Stored]:
    """Stores all frames of `plan`; yields after each piece what was stored so far. Time counts insertion alone: the
    frames are drawn by another process."""
    target, seen, intake = frames_target(TOPIC), SeenFrames(), Intake(TOPIC)
    table = f"{settings.clickhouse.database}.{target.table}"
    so_far = Stored()
    for drawn in _ahead(plan):
        start = time.perf_counter()
        values = drawn.values
        intake.add(0, [Record(0, so_far.frames + at, None, value) for at, value in enumerate(values)])
        while cut := intake.cut(settings.rows_max, settings.bytes_max):
            batch, records = cut
            found = sort(target, records, seen)
            for fingerprint, placed in found.keep.items():
                schema = target.schemas.of(placed[0].value)
                if insert(client, table, schema, placed, f"{batch.token}/{fingerprint.hex()}"):
                    raise RuntimeError("the store did not take what was drawn")
            seen.add_all(found.frames)
        so_far.seconds += time.perf_counter() - start
        so_far.frames += len(values)
        so_far.avro_bytes += sum(map(len, values))
        _keep(so_far, drawn)
        yield so_far


def _keep(so_far: Stored, drawn: Drawn) -> None:
    """Some ids of all times: those in the middle make room."""
    for ids, new in (
        (so_far.sessions, drawn.session),
        (so_far.long_sessions, drawn.long_session),
        (so_far.exchanges, drawn.exchange),
    ):
        if new:
            ids.append(new)
        if len(ids) > _KEPT:
            del ids[len(ids) // 2]


def _ahead(plan: Plan) -> Iterator[Drawn]:
    """Every piece in order, a few drawn ahead by another process."""
    context = multiprocessing.get_context("spawn")  # the engine's threads do not survive a fork
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        waiting: deque[Future[Drawn]] = deque()
        for number in range(plan.batches):
            waiting.append(pool.submit(draw, plan, number))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
