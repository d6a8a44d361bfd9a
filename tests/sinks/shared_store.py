"""The one embedded store that this test process may open: chDB takes a single path a process."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import ClickHouseAddress
from sinks.migrate import migrate


@dataclass(frozen=True)
class Store:
    """A migrated store and a client for it."""

    address: ClickHouseAddress
    client: Client


def opened(address: ClickHouseAddress) -> Store:
    """The store at `address`, migrated."""
    client = address.connect({"async_insert": 0})
    migrate(client, address.database)
    return Store(address, client)


@cache
def embedded_store() -> Store:
    """The same store for every test of this process: use lanes, sessions and exchanges of your own."""
    folder = Path(tempfile.mkdtemp(prefix="sluicegate-store-"))
    store = opened(ClickHouseAddress("embedded", folder))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(store.client.close)
    return store
