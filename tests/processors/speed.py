"""Records a second a core of the masking and the approvals worker, over topics that wait for them, on a real broker:

python -m tests.processors.speed masking
python -m tests.processors.speed approvals
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import psutil

from processors.masking import GROUP as MASKING
from schemas.kafka import KafkaAddress, ensure_topics
from tests.processors.anomaly.making import answer, call, request_fields, response_fields
from tests.processors.anomaly.speed import PARTITIONS, broker, fleet
from tests.processors.approvals.making import SECOND, decision, request, use
from tests.processors.fleet import Fleet
from tests.processors.making import frame_value
from tests.processors.test_worker_flow import ready
from tests.processors.trail import fill, lag, until

EXCHANGES = 8_000
APPROVALS = 2_000
APPROVING = "sluicegate-approvals"
Row = tuple[int | None, bytes, bytes]


async def masking() -> None:
    """Frames of tool calls, of half a kilobyte each, half of them with a secret."""
    rows: list[Row] = []
    for number in range(EXCHANGES):
        shared = request_fields(number, "secret_get")
        said = "x" * 400 if number % 2 else f"password=hunter{number:05d}! " + "x" * 380
        bodies = (call("secret_get", {"name": f"s{number}"}), answer(said))
        for n, (fields, body) in enumerate(
            zip((shared, {**shared, **response_fields()}), bodies, strict=True)
        ):
            rows.append((number % PARTITIONS, b"%d" % number, frame_value(2 * number + n, body, **fields)))
    await _measured("masking_worker", {"frames": rows}, MASKING, "frames")


async def approvals() -> None:
    """Calls that one of the owners approves and a gateway then uses: three signed records each."""
    asked: list[Row] = []
    decided: list[Row] = []
    at = time.time_ns() // 1_000
    for number in range(APPROVALS):
        name = str(uuid4())
        over = {"requested_at": at, "expires_at": at + 3_600 * SECOND, "exchange_id": "exchange-1"}
        asked.append((None, *request(number, approval_id=name, **over)))
        approved = decision(1, decision_id=str(uuid4()), approval_id=name, at=at)
        used = use(2, decision_id=str(uuid4()), approval_id=name, at=at)
        decided += [(None, *approved), (None, *used)]
    topics = {"approvals.requested": asked, "approvals.decided": decided}
    await _measured("approvals.worker", topics, APPROVING, "signed records")


async def _measured(module: str, topics: dict[str, list[Row]], group: str, what: str) -> None:
    with broker() as (kafka, root), fleet(kafka, root, module) as workers:
        await ensure_topics(kafka)
        for topic, rows in topics.items():
            await fill(kafka.bootstrap, topic, rows)
        waiting = partial(_waiting, kafka, group, list(topics))
        count, took, spent = await _emptied(workers, waiting)
        print(f"{count} {what} in {took:.1f} s, {spent:.1f} CPU s: {count / spent:.0f} a second a core")


async def _waiting(kafka: KafkaAddress, group: str, topics: list[str]) -> int:
    """Records that the group has not committed yet."""
    return sum([await lag(kafka.bootstrap, group, topic, PARTITIONS) for topic in topics])


async def _emptied(workers: Fleet, waiting: Callable[[], Awaitable[int]]) -> tuple[int, float, float]:
    """How many records one worker takes from when it is ready, and seconds and CPU seconds until none waits."""
    workers.add()
    process = psutil.Process(next(iter(workers._living.values())).pid)
    await ready(workers)
    started, spent = time.monotonic(), sum(process.cpu_times()[:2])
    count = await waiting()

    async def none_waits() -> bool:
        return not await waiting()

    await until(none_waits, 300)
    return count, time.monotonic() - started, sum(process.cpu_times()[:2]) - spent


MEASURES: dict[str, Callable[[], Awaitable[None]]] = {"masking": masking, "approvals": approvals}

if __name__ == "__main__":
    asyncio.run(MEASURES[sys.argv[1]]())  # type: ignore[arg-type]
