"""A copy of the store to look at: hard links to its parts, which never change, beside a directory for another engine.

The engine that owns the store freezes each table, which is a moment and no copying; the links that this makes are
then moved away. Tables are frozen one after the other: one may be a few records ahead of another.
"""

import os
import re
import shutil
from pathlib import Path
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import StoreError, quoted
from sinks.sql.snapshot_paths import Snapshot

_PREFIX = "look_"  # letters the engine writes into a path as they are
_TABLES = (
    "SELECT name, toString(uuid), ifNull(total_rows, 0) FROM system.tables"
    " WHERE database = {db:String} AND engine LIKE '%MergeTree'"
)
# Nothing is inserted there, and the log of what was must not be written.
_REMEMBERED = re.compile(rb"(non_replicated_deduplication_window) = \d+")


def take_snapshot(client: Client, store: Path, database: str, folder: Path) -> Snapshot:
    """What `store` holds now, in a directory of its own below `folder`; `client` is one of the engine that owns it.

    Raises ClickHouseError, OSError and StoreError; then there is nothing left of it.
    """
    name = f"{_PREFIX}{uuid4().hex}"
    snapshot = Snapshot(folder / name)
    try:
        _lay_out(store, snapshot, database)
        for table, uuid, rows in client.query(_TABLES, {"db": database}).result_rows:
            client.command(f"ALTER TABLE {quoted(database)}.{quoted(table)} FREEZE WITH NAME '{name}'")
            if not _move_parts(store / "shadow" / name, snapshot, str(uuid)) and rows:
                raise StoreError(
                    f"table {table} of {store} could not be frozen: nothing of it is in shadow/{name}"
                )
    except BaseException:
        snapshot.remove()
        raise
    finally:
        shutil.rmtree(store / "shadow" / name, ignore_errors=True)
    return snapshot


def clear_snapshots(store: Path, folder: Path) -> None:
    """Removes what a killed process left."""
    for place in (store / "shadow", folder):
        for left in place.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)


def _lay_out(store: Path, snapshot: Snapshot, database: str) -> None:
    """What the tables and views are. An Atomic database keeps that in store/, behind a link."""
    described = store / "metadata" / f"{database}.sql"
    kept = Path(os.path.realpath(store / "metadata" / database))
    beneath = kept.relative_to(os.path.realpath(store / "store"))
    snapshot.root.mkdir(parents=True, mode=0o700)
    (snapshot.engine / "metadata").mkdir(parents=True)
    (snapshot.engine / "tmp").mkdir()
    shutil.copyfile(described, snapshot.engine / "metadata" / described.name)
    described_tables = snapshot.parts / beneath
    described_tables.mkdir(parents=True)
    for table in kept.glob("*.sql"):
        (described_tables / table.name).write_bytes(_REMEMBERED.sub(rb"\1 = 0", table.read_bytes()))
    (snapshot.engine / "store").symlink_to(snapshot.parts.absolute())
    (snapshot.engine / "metadata" / database).symlink_to(described_tables.absolute())


def _move_parts(frozen: Path, snapshot: Snapshot, uuid: str) -> bool:
    """Whether there were any; the table's directory is there in any case, with what an engine else would make."""
    source, place = frozen / "store" / uuid[:3] / uuid, snapshot.parts / uuid[:3] / uuid
    place.parent.mkdir(parents=True, exist_ok=True)
    found = source.is_dir()
    if found:
        source.rename(place)
    else:
        place.mkdir()
    (place / "detached").mkdir(exist_ok=True)
    (place / "format_version.txt").write_text("1", encoding="ascii")
    return found
