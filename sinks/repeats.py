"""Records of `audit` that are not stored because their frame is: where they lay and what they said of themselves.

The checkpointed log has a leaf for each of them too, and a check of the store has to account for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.codec import Codec, codec
from sinks.avro import Placed, WriterSchema
from sinks.clickhouse import StoreAwayError, quoted
from sinks.store import insert

TABLE = "repeats_stored"
_LOOK = ("lane", "lane_seq", "part", "frames_partition", "frames_offset", "digest", "audit_digest")
_TYPES = {
    "lane": "string",
    "part": "int",
    "frames_partition": "int",
    "digest": "bytes",
    "audit_digest": "bytes",
}
_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Repeat",
    "namespace": "sluicegate",
    "fields": [{"name": name, "type": _TYPES.get(name, "long")} for name in _LOOK],
}


_THERE = """
SELECT k_partition, k_offset FROM {table}
WHERE recorded_at BETWEEN {{first:DateTime64(6, 'UTC')}} AND {{last:DateTime64(6, 'UTC')}} AND ({places})
"""


class Repeats:
    """Turns records of `audit` into rows of the table; stateless."""

    def __init__(self) -> None:
        self._schema = WriterSchema(_SCHEMA, ("lane_seq",))
        self._codec = Codec(_SCHEMA)

    def note(self, client: Client, database: str, records: Sequence[Placed], token: str) -> None:
        """Stores where `records` lay, but for those that are the stored rows themselves: a batch that is stored again
        after a crash finds its own. Raises StoreAwayError."""
        frames = [codec("audit").decode(record.value) for record in records]
        own = _own(client, f"{quoted(database)}.frames_stored", records, [f["recorded_at"] for f in frames])
        rows = [
            Placed(record.partition, record.offset, self._codec.encode(frame))
            for record, frame in zip(records, frames, strict=True)
            if (record.partition, record.offset) not in own
        ]
        if rows:
            insert(client, f"{quoted(database)}.{TABLE}", self._schema, rows, token)


def _own(
    client: Client, table: str, records: Sequence[Placed], times: list[datetime]
) -> set[tuple[int, int]]:
    """Places that are those of stored rows."""
    spans: dict[int, list[int]] = {}
    for record in records:
        spans.setdefault(record.partition, []).append(record.offset)
    places = " OR ".join(
        f"k_partition = {partition:d} AND k_offset BETWEEN {min(offsets):d} AND {max(offsets):d}"
        for partition, offsets in spans.items()
    )
    try:
        asked = {"first": min(times), "last": max(times)}
        found = client.query(_THERE.format(table=table, places=places), asked).result_rows
    except ClickHouseError as exc:
        raise StoreAwayError(f"what is stored already could not be read: {exc}") from exc
    return {(int(partition), int(offset)) for partition, offset in found}
