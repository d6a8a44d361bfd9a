"""The memories of sessions in a Faust table: one row a session, on the partition its frames are on.

The changelog holds keyed digests of 24 bits and no secrets. Kafka drops its rows once nobody compares with them any
more; this process forgets them with the clock of the frames.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.memory import FORGET_SECONDS, Row, outlived
from processors.strict import StrictApp, StrictTable
from schemas.kafka import KafkaAddress

NAME = "known"
CHANGELOG = f"sluicegate-masking-{NAME}-changelog"
SESSIONS_MAX = 50_000
"""Sessions that one worker remembers; beyond that the ones that learned first are forgotten."""

FORGET_EVERY = 200
"""Batches between two looks for memories that have outlived their use."""

READ_MS = 1_000


class KnownTable:
    """The table of one application, for its one agent."""

    def __init__(self, app: StrictApp, partitions: int, in_sync_min: int) -> None:
        self._table: StrictTable = app.Table(
            NAME,
            default=list,
            partitions=partitions,
            key_type=bytes,
            extra_topic_configs={"min.insync.replicas": str(in_sync_min)},
        )
        self._table._changelog_topic = self._table._new_changelog_topic(
            compacting=True, deleting=True, retention=FORGET_SECONDS + 3600
        )
        self._batches = 0

    def rows(self, events: Sequence[Any]) -> dict[bytes, Row]:
        """What the sessions of these events remember, by key."""
        firsts = {event.message.key or b"": event for event in reversed(events)}
        found = ((key, self._table.at(event)[key]) for key, event in firsts.items())
        return {key: row for key, row in found if row}

    def keep(self, events: Sequence[Any], rows: Mapping[bytes, Row]) -> None:
        """Write rows of sessions of these events; `durable` says when Kafka has them."""
        for key, event in {event.message.key or b"": event for event in events}.items():
            if key in rows:
                self._table.at(event)[key] = rows[key]

    async def durable(self) -> None:
        """Wait until all that was written is in Kafka."""
        await self._table.durable()

    def forget(self, events: Sequence[Any]) -> None:
        """Now and then drop the memories on the partitions of these events that are of no more use."""
        self._batches += 1
        if self._batches % FORGET_EVERY:
            return
        last = {event.message.partition: event for event in events}
        rows = [(key, row) for key, row in self._table.items() if row and row[0] in last]
        beyond = max(0, len(self._table) - SESSIONS_MAX)
        for place, (key, row) in enumerate(rows):
            event = last[row[0]]
            if place < beyond or outlived(row, int(event.message.timestamp)):
                self._table.at(event).pop(key, None)


async def known_rows(kafka: KafkaAddress, partition: int) -> dict[bytes, Row]:
    """The rows of one partition as the changelog has them now; none when there is no changelog. Raises KafkaError."""
    reader = AIOKafkaConsumer(
        enable_auto_commit=False, auto_offset_reset="earliest", **kafka.client_options()
    )
    await reader.start()
    try:
        if CHANGELOG not in await reader.topics():
            return {}
        return await _folded(reader, TopicPartition(CHANGELOG, partition))
    finally:
        await reader.stop()


async def _folded(reader: AIOKafkaConsumer, place: TopicPartition) -> dict[bytes, Row]:
    reader.assign([place])
    end = (await reader.end_offsets([place]))[place]
    rows: dict[bytes, Row] = {}
    while await reader.position(place) < end:
        for record in (await reader.getmany(place, timeout_ms=READ_MS)).get(place, []):
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = json.loads(record.value)
    return rows
