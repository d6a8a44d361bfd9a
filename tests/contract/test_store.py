"""What every store must do, embedded or a server: one suite for both."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from sinks.avro import Placed
from sinks.clickhouse import ClickHouseAddress
from sinks.migrate import migrate
from sinks.readers import FrameFilter, ReadError, SessionFilter
from sinks.sql_reader import SqlReader
from sinks.store import insert, load_seen
from sinks.tables import frames_target
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store, embedded_store, opened
from tests.support.containers import BACKENDS, database_of

TARGET = frames_target("audit")


@pytest.fixture(params=BACKENDS)
def any_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An embedded store, and a ClickHouse server where a container engine runs."""
    if request.param == "embedded":
        yield embedded_store()
        return
    address: ClickHouseAddress = request.getfixturevalue("clickhouse_container")
    store = opened(database_of(address, "store_contract"))
    yield store
    store.client.close()


def put(store: Store, values: list[bytes], token: str, first: int = 0) -> list[Placed]:
    placed = [Placed(7, first + at, value) for at, value in enumerate(values)]
    table = f"{store.address.database}.frames_stored"
    return insert(store.client, table, TARGET.schemas.of(values[0]), placed, token)


def count(store: Store, lane: str) -> int:
    sql = f"SELECT count() FROM {store.address.database}.frames_stored WHERE lane = {{l:String}}"
    return int(store.client.query(sql, {"l": lane}).result_rows[0][0])


def test_migrating_again_changes_nothing(any_store: Store) -> None:
    assert migrate(any_store.client, any_store.address.database) == []


def test_the_same_batch_under_the_same_token_is_stored_once(any_store: Store) -> None:
    trail = Trail(lane=str(uuid4()))
    trail.exchange()

    for _ in range(3):
        assert put(any_store, trail.values, f"t-{trail.lane}") == []

    assert count(any_store, trail.lane) == 2


def test_a_record_that_the_store_cannot_read_is_given_back_and_the_others_are_stored(
    any_store: Store,
) -> None:
    trail = Trail(lane=str(uuid4()))
    values = [trail.frame() for _ in range(7)]
    values[4] = values[4][:11] + b"z" * 36 + values[4][47:]

    for _ in range(2):  # a repeat takes the same way
        assert [placed.offset for placed in put(any_store, values, f"t-{trail.lane}")] == [4]

    assert count(any_store, trail.lane) == 6


def test_what_is_stored_is_known_again_with_its_holes(any_store: Store) -> None:
    now = int(any_store.client.query("SELECT toUnixTimestamp64Micro(now64(6))").result_rows[0][0])
    trail = Trail(lane=str(uuid4()), started_us=now)
    values = [trail.frame() for _ in range(10)]
    put(any_store, values[:4] + values[6:], f"t-{trail.lane}")

    seen = load_seen(any_store.client, any_store.address.database, [7])

    assert [seq for seq in range(12) if (trail.lane, seq) in seen] == [1, 2, 3, 4, 7, 8, 9, 10]
    assert (trail.lane, 1) not in load_seen(any_store.client, any_store.address.database, [8])


async def test_a_reader_gives_sessions_exchanges_frames_and_free_queries(any_store: Store) -> None:
    trail, session = Trail(lane=str(uuid4())), str(uuid4())
    exchange = trail.exchange(b'{"result":"aardvark"}', session_id=session)
    put(any_store, trail.values, f"t-{trail.lane}")
    reader = SqlReader(any_store.address)

    found = await reader.session(session)
    assert found is not None
    assert (found["exchanges"], found["frames"], found["errors"]) == (1, 2, 0)
    assert session in {row["session_id"] for row in await reader.sessions(SessionFilter(), 1_000)}
    frames = await reader.frames(FrameFilter(session=session, text="aardvark"), 10)
    assert [frame["body"] for frame in frames] == ['{"result":"aardvark"}']
    whole = await reader.exchange(exchange)
    assert whole is not None
    assert len(whole["frame_list"]) == 2
    assert (await reader.query("SELECT 1 AS one")).rows == [[1]]
    with pytest.raises(ReadError):
        await reader.query("SELECT * FROM v_nothing")
    await reader.close()
