"""Writing to the store: containers under deduplication tokens, and what is stored already."""

from collections.abc import Iterable, Sequence

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from sinks.avro import Placed, WriterSchema
from sinks.clickhouse import StoreAwayError, quoted
from sinks.seen import SeenFrames

# The store's error codes for a value it cannot read or convert: asking again changes nothing.
# Source: ClickHouse, src/Common/ErrorCodes.cpp.
_VALUE_FAULTS = frozenset(
    {
        6,
        25,
        26,
        27,
        32,
        33,
        36,
        38,
        41,
        49,
        53,
        69,
        70,
        72,
        117,
        130,
        131,
        261,
        321,
        349,
        376,
        407,
        1000,
        1001,
    }
)
# A batch that is sent again and stored already is still indexed, in case that its first sending broke off in between.
_INSERT_SETTINGS = {
    "async_insert": 0,
    "input_format_avro_allow_missing_fields": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}
# A repeat can come as late as the topic `frames` keeps what it repeats (72 hours).
SEEN_DAYS = 3


def insert(
    client: Client, table: str, schema: WriterSchema, records: Sequence[Placed], token: str
) -> list[Placed]:
    """Stores `records` in `table`, all or none of them; gives back those that the store cannot read.

    A container it cannot read is halved until the fault stands alone; the halves have tokens of their own,
    so that a repeat takes the same way. Raises StoreAwayError when the store does not answer or has no room.
    """
    settings = {**_INSERT_SETTINGS, "insert_deduplication_token": token}
    try:
        client.raw_insert(table, insert_block=schema.container(records), fmt="Avro", settings=settings)
    except ClickHouseError as exc:
        if not (isinstance(exc, DatabaseError) and exc.code in _VALUE_FAULTS):
            raise StoreAwayError(f"the store did not take {len(records)} rows: {exc}") from exc
    else:
        return []
    if len(records) == 1:
        return list(records)
    half = len(records) // 2
    return [
        *insert(client, table, schema, records[:half], f"{token}/0"),
        *insert(client, table, schema, records[half:], f"{token}/1"),
    ]


def load_seen(client: Client, database: str, partitions: Iterable[int]) -> SeenFrames:
    """The frames of the last days that came from `partitions` of the audit topic. Raises StoreAwayError."""
    seen = SeenFrames()
    listed = ",".join(str(int(partition)) for partition in partitions)
    if not listed:
        return seen
    recent = (
        f"FROM {quoted(database)}.frames_stored WHERE k_partition IN ({listed})"
        f" AND recorded_at > now() - INTERVAL {SEEN_DAYS} DAY"
    )
    spans = f"SELECT lane, min(lane_seq), max(lane_seq), groupBitmap(lane_seq) {recent} GROUP BY lane"
    try:
        broken = []
        for lane, first, last, count in client.query(spans).result_rows:
            if count == last - first + 1:
                seen.add(lane, first, last)
            else:
                broken.append(lane)
        for lane in broken:
            for first, last in client.query(_ISLANDS.format(recent=recent), {"lane": lane}).result_rows:
                seen.add(lane, first, last)
    except ClickHouseError as exc:
        raise StoreAwayError(f"what is stored already could not be read: {exc}") from exc
    return seen


_ISLANDS = """
SELECT min(lane_seq), max(lane_seq) FROM
(
    SELECT lane_seq, lane_seq - row_number() OVER (ORDER BY lane_seq) AS island
    FROM (SELECT DISTINCT lane_seq {recent} AND lane = {{lane:String}})
)
GROUP BY island ORDER BY 1
"""
