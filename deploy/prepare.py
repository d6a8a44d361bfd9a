"""Makes a Kafka cluster and a ClickHouse server ready: topics that are safe to record on, the schema of this version.

    python deploy/prepare.py --config /etc/sluicegate/sluicegate.yaml

Ends with 0 when both are; waits for either to come up. May be run again at any time: what is there is left alone.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from aiokafka.errors import KafkaError

from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics
from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreError
from sinks.migrate import migrate
from sluicegate.settings import SettingsError, load

WAIT_SECONDS_MAX: Final = 180.0
PAUSE_SECONDS: Final = 2.0


class NotPreparedError(Exception):
    """Kafka or ClickHouse is not ready for Sluicegate. The message says why."""


async def prepare(
    kafka: KafkaAddress, clickhouse: ClickHouseAddress, seconds_max: float = WAIT_SECONDS_MAX
) -> None:
    """Create what is missing on both. Raises NotPreparedError."""
    deadline = time.monotonic() + seconds_max
    await _patiently(lambda: ensure_topics(kafka), "Kafka", deadline)
    try:
        topics = await check_topics(kafka)
    except (KafkaUnsafeError, KafkaError) as error:
        raise NotPreparedError(f"the topics are not safe to record on: {error}") from error
    print(f"topics: {', '.join(topics)}", flush=True)
    applied = await _patiently(lambda: asyncio.to_thread(_migrate, clickhouse), "ClickHouse", deadline)
    print(f"migrations applied to {clickhouse}: {applied or 'none lacked'}", flush=True)


async def _patiently(attempt: Callable[[], Coroutine[Any, Any, Any]], what: str, deadline: float) -> Any:
    """What `attempt` gives once it does not fail; its last error as a NotPreparedError after `deadline`."""
    while True:
        try:
            return await attempt()
        except (KafkaError, OSError, StoreAwayError) as error:
            if time.monotonic() > deadline:
                raise NotPreparedError(f"{what} does not answer: {error}") from error
            print(f"waiting for {what}: {type(error).__name__}", flush=True)
        await asyncio.sleep(PAUSE_SECONDS)


def _migrate(address: ClickHouseAddress) -> list[int]:
    client = address.connect()
    try:
        return migrate(client, address.database)
    finally:
        client.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="make Kafka and ClickHouse ready for Sluicegate")
    parser.add_argument("--config", type=Path, default=Path("sluicegate.yaml"))
    try:
        settings = load(parser.parse_args().config)
        asyncio.run(prepare(settings.kafka_address(), settings.sink_settings().clickhouse))
    except (SettingsError, NotPreparedError, StoreError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
