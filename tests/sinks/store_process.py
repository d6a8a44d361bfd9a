"""The store process for tests: `python -m tests.sinks.store_process DATA_DIR BOOTSTRAP PORT PREFIX DSN`."""

import asyncio
import sys
from pathlib import Path

from schemas.kafka import KafkaAddress
from sinks.clickhouse import ClickHouseAddress
from sinks.run import run_sink
from sinks.settings import SinkSettings
from tests.sinks.records import sink_topics


def main() -> None:
    """Runs the store process with topics and group named after PREFIX."""
    data_dir, bootstrap, port, prefix, dsn = sys.argv[1:6]
    settings = SinkSettings(
        clickhouse=ClickHouseAddress(dsn, Path(data_dir)),
        data_dir=Path(data_dir),
        port=int(port),
        group=f"{prefix}-sink",
        topics=sink_topics(prefix),
    )
    asyncio.run(run_sink(settings, KafkaAddress(bootstrap, embedded=True)))


if __name__ == "__main__":
    main()
