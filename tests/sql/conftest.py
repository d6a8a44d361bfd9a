"""One sandbox for all tests: it looks at rows that are there before it starts."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store, embedded_store
from tests.sql.serving import Served, served

SESSION = UUID(int=0x5E55)


@pytest.fixture(scope="session")
def filled() -> Store:
    """The embedded store of this test process, with a session of 20 exchanges by ann."""
    store = embedded_store()
    trail = Trail(lane=f"asked-{uuid4()}")
    for _ in range(20):
        trail.exchange(session_id=str(SESSION), principal_subject="ann", connection="asked")
    fill(store.client, trail.values)
    return store


@pytest.fixture(scope="session")
def form(filled: Store) -> Iterator[Served]:
    """ClickHouse's HTTP form over it."""
    with served(filled.address, fresh_s=3_600) as serving:
        yield serving
