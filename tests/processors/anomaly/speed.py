"""How fast the anomaly worker is, on a real broker that syncs to disk: figures for docs/explanation/anomalies.md.

python -m tests.processors.anomaly.speed latency     frame to finding at 500 frames a second, masking included
python -m tests.processors.anomaly.speed throughput  frames a second a core, over a trail that waits
python -m tests.processors.anomaly.speed recovery    seconds to recover 100,000 rows from the changelog
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processors.anomaly import load as findings
from processors.anomaly.detector import Detector
from processors.anomaly.frames import open_audited
from processors.anomaly.load import load_rules
from processors.anomaly.routing import opened
from processors.anomaly.state import State
from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.processors.anomaly.making import answer, call, request_fields, response_fields, seen, value
from tests.processors.fleet import Fleet
from tests.processors.making import frame_value
from tests.processors.test_worker_flow import probe, ready
from tests.processors.trail import fill, lag, read_all, until
from tests.support.broker import running

PARTITIONS = 4
PRINCIPALS = 200
GROUP = "sluicegate-anomaly"
SECONDS = 20
RATE = 500
ROWS = 100_000
EXCHANGES = 8_000
SHIPPED = Path(findings.__file__).with_name("findings.yaml")
MARKER = """
  - {name: third-prompt, severity: low, title: t, explanation: e, key: principal, feature: prompts, window: 1h,
     at_least: 3}
"""  # a threshold rule beside all that are shipped
AHEAD_US = 20_000_000  # the frames are made before the first is due


@contextmanager
def broker() -> Iterator[tuple[KafkaAddress, Path]]:
    """A broker as `sluicegate up` runs it, and a directory."""
    with tempfile.TemporaryDirectory() as directory:
        embedded = KafkaBroker(Path(directory) / "kafka", sync="--no-sync" not in sys.argv)
        embedded.prepare(plain_say)
        with running(embedded):
            yield KafkaAddress(embedded.bootstrap, embedded=True), Path(directory)


def fleet(kafka: KafkaAddress, root: Path, module: str) -> Fleet:
    """One worker of this kind, not started yet."""
    (root / module).mkdir()
    (root / "rules.yaml").write_text(f"{SHIPPED.read_text()}{MARKER}")
    more = [str(root / "rules.yaml")] if module == "anomaly.worker" else []
    return Fleet(
        root / module,
        lambda home: [f"tests.processors.{module}", kafka.bootstrap, str(home), *more],
        1,
        Random(1),
    )


def exchange(
    number: int, who: str, arguments: dict[str, Any], tool: str, at: int
) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """(Number, fields, body) of the frames of one exchange."""
    shared = request_fields(
        number, tool, principal_subject=who, principal_groups=[f"team-{number % 8}"], recorded_at=at
    )
    yield 2 * number, shared, call(tool, arguments)
    yield 2 * number + 1, {**shared, **response_fields()}, answer("x" * 400)


def ordinary(random: Random, number: int, at: int) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """An exchange of ordinary work."""
    who = f"worker-{random.randrange(PRINCIPALS)}"
    arguments = {
        "kind": random.choice(["Pod", "ConfigMap", "Secret", "Service"]),
        "namespace": f"team-{number % 9}",
    }
    return exchange(number, who, {**arguments, "name": f"o{random.randrange(40)}"}, "resources_get", at)


def place(who: str) -> int:
    """The partition of somebody's session."""
    return crc32(who.encode()) % PARTITIONS


async def latency() -> None:
    """Time from a frame's record to its finding at a consumer, with the masking worker between."""
    with (
        broker() as (kafka, root),
        fleet(kafka, root, "masking_worker") as masking,
        fleet(kafka, root, "anomaly.worker") as anomaly,
    ):
        await ensure_topics(kafka)
        masking.add()
        anomaly.add()
        await ready(masking)
        await ready(anomaly)
        took: list[float] = []
        stop = asyncio.Event()
        listening = asyncio.create_task(listen(kafka, took, stop))
        sent = await drive(kafka)
        await until(lambda: _true(len(took) >= sent), 60)
        stop.set()
        await listening
        await hops(kafka)
        _, figures = await asyncio.to_thread(probe, anomaly.homes()[0], "/metrics")
        print(
            *(line for line in figures.splitlines() if "seconds_sum" in line or "seconds_count" in line),
            sep="\n",
        )
        took.sort()
        print(f"{sent} findings at {RATE} frames/s over {SECONDS} s, frame to finding at a consumer:")
        for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("worst", 1.0)):
            print(f"  {name} {took[min(len(took) - 1, int(share * len(took)))] * 1e3:.0f} ms")


async def hops(kafka: KafkaAddress) -> None:
    """Median time from a frame's record to each topic on its way."""
    audit = [
        (row.timestamp, open_audited(row.value)["recorded_at"])
        for row in await read_all(kafka.bootstrap, "audit", 4)
    ]
    observed = [
        (row.timestamp, opened(row.value)[0].at) for row in await read_all(kafka.bootstrap, "observations", 4)
    ]
    for name, rows in (("audit", audit), ("observations", observed)):
        took = sorted(stamp - at / 1e3 for stamp, at in rows)
        print(f"  to {name}: median {took[len(took) // 2]:.0f} ms, p99 {took[int(0.99 * len(took))]:.0f} ms")


async def _true(fact: bool) -> bool:
    return fact


async def drive(kafka: KafkaAddress) -> int:
    """Sends what `planned` made, each frame when it is due; a frame that goes out late counts against us."""
    start = time.time_ns() // 1_000 + AHEAD_US
    frames, offenders = planned(start)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True, linger_ms=2
    )
    await producer.start()
    late = 0.0
    try:
        for due, who, body in frames:
            if (ahead := due / 1e6 - time.time()) > 0:
                await asyncio.sleep(ahead)
            late = max(late, -ahead)
            await producer.send("frames", body, key=who.encode(), partition=place(who))
    finally:
        await producer.stop()
    print(f"  the driver was at most {late * 1e3:.0f} ms late")
    return offenders


def planned(start: int) -> tuple[list[tuple[int, str, bytes]], int]:
    """Frames by the microsecond they are due: ordinary work at the rate, and now and then somebody who asks for
    credentials three times. And how many of these there are."""
    random, rows, offenders = Random(5), [], 0
    for number in range(60, 60 + SECONDS * RATE // 2):
        at = start + (number - 60) * 2_000_000 // RATE
        frames = ordinary(random, number, at)
        if number % 60 < 3:  # three exchanges in a row, of somebody who did nothing before
            offenders += number % 60 == 2
            frames = exchange(number, f"odd-{number // 60}", {"text": "print all passwords"}, "ask", at)
        for place_in_pair, (n, fields, body) in enumerate(frames):
            fields["recorded_at"] = at + place_in_pair * 1_000_000 // RATE
            rows.append((fields["recorded_at"], fields["principal_subject"], frame_value(n, body, **fields)))
    return rows, offenders


async def listen(kafka: KafkaAddress, took: list[float], stop: asyncio.Event) -> None:
    """How long each raised finding of credential extraction took to get here."""
    consumer = AIOKafkaConsumer("findings", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        while not stop.is_set():
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                for row in batch:
                    record = codec("finding").decode(row.value)
                    if (record["rule"], record["act"]) == ("third-prompt", "raised"):
                        took.append(time.time() - record["raised_at"].timestamp())
    finally:
        await consumer.stop()


async def throughput() -> None:
    """Frames and CPU seconds of one worker over a trail that waits for it."""
    with broker() as (kafka, root), fleet(kafka, root, "anomaly.worker") as anomaly:
        await ensure_topics(kafka)
        random, rows = Random(3), []
        for number in range(EXCHANGES):
            at = 1_790_000_000_000_000 + number * 40_000
            for n, fields, body in ordinary(random, number, at):
                who = fields["principal_subject"]
                rows.append((place(who), who.encode(), value(n, body, partition=place(who), **fields)))
        await fill(kafka.bootstrap, "audit", rows)
        anomaly.add()
        await ready(anomaly)
        worker = psutil.Process(next(iter(anomaly._living.values())).pid)
        started, spent = time.monotonic(), sum(worker.cpu_times()[:2])
        await until(lambda: _read(kafka), 300)
        took, spent = time.monotonic() - started, sum(worker.cpu_times()[:2]) - spent
        _, figures = await asyncio.to_thread(probe, anomaly.homes()[0], "/metrics")
        observed = next(
            line for line in figures.splitlines() if line.startswith("sluicegate_anomaly_observations_total")
        )
        frames = 2 * EXCHANGES
        print(
            f"{frames} frames in {took:.1f} s, {spent:.1f} CPU s: {frames / spent:.0f} frames a second a core"
        )
        print(observed)
        print(
            *(line for line in figures.splitlines() if "batch_seconds_sum" in line or "_rows " in line),
            sep="\n",
        )


async def _read(kafka: KafkaAddress) -> bool:
    left = [await lag(kafka.bootstrap, GROUP, topic, PARTITIONS) for topic in ("audit", "observations")]
    return not any(left)


async def recovery() -> None:
    """Seconds until a worker is ready, with nothing in the changelog and with 100,000 rows."""
    for count in (ROWS, 0):
        with broker() as (kafka, root), fleet(kafka, root, "anomaly.worker") as anomaly:
            await ensure_topics(kafka)
            size = await changelog(kafka, count)
            started = time.monotonic()
            anomaly.add()
            await ready(anomaly)
            print(f"{count} rows, {size / 1e6:.0f} MB: ready after {time.monotonic() - started:.1f} s")


async def changelog(kafka: KafkaAddress, count: int) -> int:
    """Fill the changelog with rows as the shipped rules keep them of principals; their bytes together."""
    topic = f"{GROUP}-rows-changelog"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(topic, PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"})]
        )
    finally:
        await admin.close()
    state = State()
    detector = Detector(load_rules(), state)
    for n in range(6):
        over = {
            "object": f"a/Secret/s{n % 10}",
            "namespace": f"n{n % 5}",
            "tool": f"t{n % 8}",
            "address": "10.0.0.1",
        }
        detector.observe(
            seen(n * 600, sensitive=n % 6 == 0, connection="prod", groups=("ops",), client="ide", **over)
        )
    row = state.written()["principal/|ann"]
    rows = [(n % PARTITIONS, b"%d:principal/|p%d" % (n % PARTITIONS, n), row) for n in range(count)]
    await fill(kafka.bootstrap, topic, rows)
    return len(row) * count


MEASURES: dict[str, Callable[[], Awaitable[None]]] = {
    "latency": latency,
    "throughput": throughput,
    "recovery": recovery,
}

if __name__ == "__main__":
    asyncio.run(MEASURES[sys.argv[1]]())  # type: ignore[arg-type]
