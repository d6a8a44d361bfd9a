"""Rows of bytes in a Faust table, each under its partition: what is kept of one is never seen from another."""

from typing import Any

from processors.strict import StrictApp, StrictTable

SECOND_US = 1_000_000
MARGIN_SECONDS = 24 * 3600


class ByteTable:
    """One table of an application. Writes are durable after `durable`; a partition has to have an event first."""

    def __init__(
        self, app: StrictApp, name: str, *, partitions: int, in_sync_min: int, keep_seconds: int
    ) -> None:
        self._table: StrictTable = app.Table(
            name,
            partitions=partitions,
            key_type=bytes,
            value_type=bytes,
            extra_topic_configs={"min.insync.replicas": str(in_sync_min)},
        )
        self._table._changelog_topic = self._table._new_changelog_topic(
            compacting=True, deleting=True, retention=keep_seconds + MARGIN_SECONDS
        )

    def get(self, partition: int, name: str) -> bytes | None:
        """The row, if there is one."""
        data: bytes | None = self._table.data.get(_key(partition, name))
        return data

    def put(self, event: Any, name: str, data: bytes | None) -> None:
        """Write or (None) drop a row of the event's partition."""
        key = _key(event.message.partition, name)
        table = self._table.at(event)
        if data is not None:
            table[key] = data
        elif key in table.data:
            table.pop(key, None)

    async def durable(self) -> None:
        """Wait until all that was written is in Kafka."""
        await self._table.durable()

    def names(self, partition: int) -> list[str]:
        """The rows of a partition."""
        head = b"%d:" % partition
        return [key[len(head) :].decode() for key in self._table.data if key.startswith(head)]

    def __len__(self) -> int:
        return len(self._table.data)


def _key(partition: int, name: str) -> bytes:
    return b"%d:%s" % (partition, name.encode("utf-8", "replace"))
