"""What checkpoints cost a frame: `python -m benchmarks.checkpoints [--records N] [--json]`.

First the parts alone, in memory: a leaf and its place in the tree, and what one checkpoint costs beside its leaves.
Then the checkpointer itself behind a broker that syncs to disk, with N records of 2 KB waiting in topic `audit`: CPU
time of its process, time on the wall, and the bytes that it puts on topic `checkpoints`.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from processors.checkpoints.log import Log
from processors.checkpoints.settings import CheckpointSettings
from processors.checkpoints.worker import run_until
from processors.logs import configure_logs
from schemas.checkpoints import checkpoint_record, checkpoint_value, open_checkpoint, tree_head
from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.merkle import Frontier
from schemas.notes import Note, NoteKey
from schemas.topics import topics
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.support.broker import running

RECORD_BYTES = 2_000
CHECKPOINT_LEAVES = 1_000
KEY = NoteKey("bench.example.com/audit/0", bytes(32))
PREFIX = codec("audit").prefix


def value(number: int) -> bytes:
    """As long as a record of `audit` usually is, and with a digest of its own at its end."""
    return PREFIX + bytes(RECORD_BYTES - 42) + number.to_bytes(32, "big")


def alone(records: int) -> dict[str, float]:
    """Microseconds of CPU: a leaf in the tree; a checkpoint of 1,000 leaves beside them; and its bytes."""
    values = [value(number) for number in range(10_000)]
    log, begun = Log(0, Frontier()), time.process_time()
    for offset in range(records):
        log.take(offset, values[offset % len(values)], 0.0)
    leaf = (time.process_time() - begun) / records
    leaves, rounds = [bytes(32)] * CHECKPOINT_LEAVES, 300
    begun = time.process_time()
    for _ in range(rounds):
        head = tree_head(KEY.name, records, log.frontier.root(), 0, 1_790_000_000_000_000)
        note = str(Note(head.text, (KEY.sign(head.text),)))
        record = checkpoint_record(
            head, note, topic="audit", partition=0, base_offset=0, leaves=leaves, at=1_790_000_000_000_000
        )
        encoded = checkpoint_value(record)
    signed = (time.process_time() - begun) / rounds
    return {
        "leaf_us": leaf * 1e6,
        "checkpoint_us": signed * 1e6,
        "checkpoint_bytes_beside_leaves": len(encoded) - 32 * CHECKPOINT_LEAVES,
    }


async def behind_a_broker(kafka: KafkaAddress, folder: Path, records: int) -> dict[str, float]:
    """The checkpointer, from its start until all records are signed."""
    await ensure_topics(kafka)
    await _fill(kafka, records)
    settings = CheckpointSettings(folder / "proof", bytes(32), "bench.example.com", port_file=folder / "port")
    settings.folder.mkdir()
    stop = asyncio.Event()
    cpu, wall = time.process_time(), time.perf_counter()
    task = asyncio.create_task(run_until(stop, settings, kafka))
    async with AsyncExitStack() as stack:
        stack.callback(stop.set)
        signed, size, count = await _until_signed(kafka, records, task)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await task
    return {
        "records_a_second": signed / wall,
        "records_a_cpu_second": signed / cpu,
        "cpu_us_a_record": cpu / signed * 1e6,
        "checkpoints": count,
        "bytes_a_record": size / signed,
    }


async def _fill(kafka: KafkaAddress, records: int) -> None:
    producer = AIOKafkaProducer(acks="all", max_batch_size=512 * 1024, **kafka.client_options())
    await producer.start()
    try:
        places = topics()["audit"].partitions
        sent = [await producer.send("audit", value(n), partition=n % places) for n in range(records)]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def _until_signed(
    kafka: KafkaAddress, records: int, task: "asyncio.Task[None]"
) -> tuple[int, int, int]:
    """(leaves, bytes, checkpoints) of topic `checkpoints` when all are signed. Its reading is in the CPU time too."""
    consumer = AIOKafkaConsumer(auto_offset_reset="earliest", fetch_max_wait_ms=500, **kafka.client_options())
    await consumer.start()
    try:
        consumer.assign([TopicPartition("checkpoints", n) for n in range(topics()["checkpoints"].partitions)])
        leaves = size = count = 0
        while leaves < records and not task.done():
            for rows in (await consumer.getmany(timeout_ms=500)).values():
                leaves += sum(len(open_checkpoint(row.value)["leaves"]) // 32 for row in rows)
                size += sum(len(row.value) for row in rows)
                count += len(rows)
    finally:
        await consumer.stop()
    return leaves, size, count


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    configure_logs()
    found: dict[str, Any] = {
        "load_average": os.getloadavg()[0],
        "records": asked.records,
        **alone(asked.records),
    }
    with tempfile.TemporaryDirectory() as folder:
        broker = KafkaBroker(Path(folder, "kafka"), sync=True, heap_mb=512)
        broker.prepare(plain_say)
        with running(broker):
            kafka = KafkaAddress(broker.bootstrap, embedded=True)
            found |= asyncio.run(behind_a_broker(kafka, Path(folder), asked.records))
    print(json.dumps(found, indent=1) if asked.json else _shown(found))


def _shown(found: dict[str, Any]) -> str:
    return "\n".join(f"{name.replace('_', ' '):32} {told:12,.1f}" for name, told in found.items())


if __name__ == "__main__":
    main()
