"""The store process on the real topics: `python -m tests.console.web_inbox.storing BROKER DIRECTORY PORT`."""

import asyncio
import sys
from pathlib import Path

from schemas.kafka import KafkaAddress
from sinks.clickhouse import ClickHouseAddress
from sinks.run import run_sink
from sinks.settings import SinkSettings


def store_settings(home: Path, port: int) -> SinkSettings:
    """An embedded store below `home`."""
    return SinkSettings(ClickHouseAddress("embedded", home), home, port=port, linger_ms=50)


def main(broker: str, directory: str, port: str) -> None:
    """Runs until it is asked to stop."""
    asyncio.run(run_sink(store_settings(Path(directory), int(port)), KafkaAddress(broker, embedded=True)))


if __name__ == "__main__":
    main(*sys.argv[1:])
