"""A worker with a table: `python -m tests.processors.table_worker BOOTSTRAP DIRECTORY NAME PARTITIONS`.

It counts records by key, as a processor with state would: each row keeps the last offset it applied, and the
output is a function of the record, its position and the count. The counting is slow on purpose: only a worker
with a backlog has something to lose.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import structlog

from processors.logs import configure_logs
from processors.strict import StrictApp, strict_settings

BATCH_SECONDS = 0.15


def counted(partition: int, offset: int, count: int) -> bytes:
    """The output for a record that is the `count`-th of its key."""
    return b"%d:%d:%d" % (partition, offset, count)


def table_app(name: str, bootstrap: str, directory: Path, partitions: int) -> StrictApp:
    """The application; reads NAME-in, writes NAME-out, keeps table `counts`."""
    settings = strict_settings(broker=f"kafka://{bootstrap}", datadir=str(directory), store="memory://")
    app = StrictApp(name, topic_partitions=partitions, topic_replication_factor=1, **settings)
    table = app.Table("counts", default=list, partitions=partitions, key_type=bytes)
    log = structlog.get_logger("table_worker")

    async def count(stream: Any) -> None:
        async for events in stream.noack_take(500, within=0.05):
            owned = [event for event in events if app.owns(event)]
            await asyncio.sleep(BATCH_SECONDS)
            await _apply(app, table, owned)
            for event in owned:
                event.ack()

    async def tell(_app: StrictApp, assigned: set[Any], **_: Any) -> None:
        log.info("partitions_assigned", generation=app.consumer_generation_id, count=len(assigned))

    app.agent(app.raw_topic(f"{name}-in"), name="count")(count)
    app.on_partitions_assigned.connect(tell)
    return app


async def _apply(app: StrictApp, table: Any, events: list[Any]) -> None:
    rows: dict[bytes, tuple[list[int], Any]] = {}
    sends = []
    producer = app.producer._ensure_producer()
    for event in events:
        message = event.message
        row = rows[message.key][0] if message.key in rows else list(table.at(event)[message.key] or (0, -1))
        if message.offset > row[1]:
            row = [row[0] + 1, message.offset]
            value = counted(message.partition, message.offset, row[0])
            sends.append(await producer.send(f"{app.conf.id}-out", value, key=message.key))
        rows[message.key] = (row, event)
    await asyncio.gather(*sends)
    for key, (row, event) in rows.items():  # also unchanged rows: the changelog may lack them
        table.at(event)[key] = row
    await table.durable()


async def _run(name: str, bootstrap: str, directory: Path, partitions: int) -> None:
    app = table_app(name, bootstrap, directory, partitions)
    app.finalize()
    await app.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await app.stop()


if __name__ == "__main__":
    configure_logs()
    asyncio.run(_run(sys.argv[3], sys.argv[1], Path(sys.argv[2]), int(sys.argv[4])))
