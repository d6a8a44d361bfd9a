"""The table of memories: on the partition of its frames, bounded, with a changelog that Kafka empties by itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from processors import known_table
from processors.known_table import CHANGELOG, KnownTable
from processors.masking import GROUP
from processors.memory import FORGET_SECONDS
from processors.strict import StrictApp, strict_settings

NOW = 1_790_000_000


@dataclass
class Message:
    """A record, as far as the table looks at it."""

    partition: int
    key: bytes
    timestamp: int = NOW
    topic: str = "frames"


class Event:
    """What a stream gives."""

    def __init__(self, partition: int, key: bytes, at: int = NOW) -> None:
        self.message = Message(partition, key, at)


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[KnownTable]:
    """The table of an application that is not started."""
    settings = strict_settings(broker="kafka://127.0.0.1:1", datadir=str(tmp_path), store="memory://")
    app = StrictApp(GROUP, topic_partitions=4, **settings)
    yield KnownTable(app, 4, 2)
    app.consumer._thread.thread_loop.close()  # of a thread that never ran


async def test_a_row_is_there_for_its_session_and_no_other(table: KnownTable) -> None:
    events = [Event(1, b"one"), Event(2, b"two")]
    row = [1, [["abcdef", 5, NOW]]]
    table.keep(events, {b"one": row})
    assert table.rows(events) == {b"one": row}
    assert len(table._table) == 1


async def test_what_outlived_its_use_is_forgotten_now_and_then(
    table: KnownTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_table, "FORGET_EVERY", 1)
    late = NOW + FORGET_SECONDS + 1
    rows = {
        b"old": [1, [["abcdef", 5, NOW]]],
        b"new": [1, [["abcdef", 9, late]]],
        b"else": [2, [["abcdef", 5, NOW]]],
    }
    table.keep([Event(1, b"old"), Event(1, b"new"), Event(2, b"else")], rows)
    table.forget([Event(1, b"new", late)])
    assert set(dict(table._table.items())) == {b"new", b"else"}  # partition 2 had no frame to tell the time


async def test_a_worker_remembers_so_many_sessions_and_no_more(
    table: KnownTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_table, "FORGET_EVERY", 1)
    monkeypatch.setattr(known_table, "SESSIONS_MAX", 3)
    events = [Event(1, b"s%d" % number) for number in range(5)]
    table.keep(events, {one.message.key: [1, [["abcdef", 5, NOW]]] for one in events})
    table.forget(events)
    assert len(table._table) == 3


async def test_kafka_empties_the_changelog_once_nobody_compares_with_it(table: KnownTable) -> None:
    topic = table._table.changelog_topic
    assert topic.topics == (CHANGELOG,)
    assert (topic.compacting, topic.deleting) == (True, True)
    assert topic.retention > FORGET_SECONDS
    assert topic.config == {"min.insync.replicas": "2"}
