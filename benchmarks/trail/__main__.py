"""A trail of many frames in an embedded store: insert rate, weight, and latency of what people ask.

python -m benchmarks.trail [--frames 10000000] [--keep DIRECTORY]

The store is thrown away at the end unless --keep names a directory for it: then a second run with the same directory
asks again without storing. 10 million frames take about 12 GB of disk and, on two cores, half an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from benchmarks.trail import report
from benchmarks.trail.asking import TRIES, Trail, measure, questions
from benchmarks.trail.drawing import Plan
from benchmarks.trail.storing import Stored, store
from sinks.clickhouse import ClickHouseAddress, StoreOwner
from sinks.migrate import migrate
from sinks.rows import iso
from sinks.settings import SinkSettings
from sinks.sql_reader import SqlReader

_NOTED = "stored.json"
_MERGED_S = 900


def main() -> None:
    """Reads the options and runs."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--frames", type=int, default=10_000_000, help="how many (default: 10 million)")
    options.add_argument("--keep", type=Path, metavar="DIRECTORY", help="where the store is, and stays")
    options.add_argument("--only", default="", help="ask only the questions with this in their names")
    options.add_argument("--tries", type=int, default=TRIES, help=f"of each question (default: {TRIES})")
    given = options.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        asyncio.run(run(given.keep, given))
        return
    with tempfile.TemporaryDirectory(prefix="trail-") as folder:
        asyncio.run(run(Path(folder), given))


async def run(folder: Path, given: argparse.Namespace) -> None:
    """Fills the store in `folder` unless it is filled, asks it, prints tables."""
    address = ClickHouseAddress("embedded", folder)
    owner = StoreOwner(address)
    owner.acquire()
    client = address.connect({"async_insert": 0})
    try:
        migrate(client, address.database)
        client.command(f"USE {address.database}")
        stored, until = _filled(folder, client, given.frames)
        _say(report.stored(stored), report.weights(client, stored.frames, stored.avro_bytes))
        reader = SqlReader(address)
        try:
            await _ask(Trail(reader, client, until, _ids(stored)), address.path, given)
        finally:
            await reader.close()
    finally:
        client.close()
        owner.release()


def _filled(folder: Path, client: Client, frames: int) -> tuple[Stored, str]:
    noted = folder / _NOTED
    if noted.exists():
        found = json.loads(noted.read_text())
        return Stored(**found["stored"]), found["until"]
    plan = Plan(frames, time.time_ns() // 1_000)
    so_far = Stored()
    for number, so_far in enumerate(store(client, plan, SinkSettings(_address(folder), folder))):
        if number % 20 == 19:
            print(report.progress(so_far, frames), flush=True)
    _wait_for_merges(client)
    until = iso(datetime.fromtimestamp(plan.until_us / 1e6, UTC))
    noted.write_text(json.dumps({"stored": asdict(so_far), "until": until}))
    return replace(so_far), until


def _address(folder: Path) -> ClickHouseAddress:
    return ClickHouseAddress("embedded", folder)


def _wait_for_merges(client: Client) -> None:
    """Until the engine has put the parts together that it wants to, as it would have in a month."""
    quiet, deadline = 0, time.monotonic() + _MERGED_S
    while quiet < 5 and time.monotonic() < deadline:
        time.sleep(1)
        running = client.query("SELECT count() FROM system.merges").result_rows[0][0]
        quiet = 0 if running else quiet + 1


async def _ask(trail: Trail, store_path: Path, given: argparse.Namespace) -> None:
    _say(report.latencies([]))
    for question in questions(trail):
        if given.only in question.name:
            found = await measure(question, trail.client, store_path, given.tries)
            print(report.latency(found), flush=True)


def _ids(stored: Stored) -> dict[str, Sequence[str]]:
    return {
        "sessions": stored.sessions,
        "long_sessions": stored.long_sessions,
        "exchanges": stored.exchanges,
    }


def _say(*tables: Sequence[str]) -> None:
    for table in tables:
        print(*table, sep="\n", flush=True)


if __name__ == "__main__":
    main()
