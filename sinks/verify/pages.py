"""The parts of a trail as pages: statements for the store, and the records in its answers.

A page goes on after the last place of the one before. Its end is looked up first in the light column alone, so that
the store reads whole rows of this page only, and rows of one place are never torn apart.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from sinks.clickhouse import quoted
from sinks.verify.select import columns, rows_of
from sinks.verify.selection import ALL, Selection

BEFORE_ALL = -(1 << 62)
LIMIT_MAX = 16_384
RESULT_BYTES_MAX = 256 * 1024 * 1024
_CHECKPOINT = (
    "kind, toUnixTimestamp64Micro(at) AS at, origin, topic, partition, base_offset, first_index, leaves, tree_size,"
    " root_hash, note, anchor_kind, place, evidence"
)
_TOMBSTONE = (
    "toString(tombstone_id) AS tombstone_id, toUnixTimestamp64Micro(at) AS at, what, why, connection, partition,"
    " first_offset, last_offset, count, leaves_sha256, policy_version, cause, asked_by, key_id, signature"
)


class Part(StrEnum):
    """What a trail consists of."""

    ROWS = "rows"
    REPEATS = "repeats"
    CHECKPOINTS = "checkpoints"
    TOMBSTONES = "tombstones"


_TABLES = {
    Part.ROWS: ("frames_stored", "k_partition", "k_offset"),
    Part.REPEATS: ("repeats_stored", "k_partition", "k_offset"),
    Part.CHECKPOINTS: ("checkpoints_stored", "partition", "tree_size"),
    Part.TOMBSTONES: ("tombstones_stored", "partition", "first_offset"),
}


def partitions_statement(database: str) -> str:
    """The partitions of topic `audit` that there is anything of: one column, ascending."""
    parts = " UNION DISTINCT ".join(
        f"SELECT DISTINCT {partition} AS number FROM {quoted(database)}.{table}"
        for table, partition, _place in _TABLES.values()
    )
    return f"SELECT toInt32(number) AS number FROM ({parts}) ORDER BY number"


def ends_statement(database: str, partition: int) -> str:
    """One row: the last offset of rows and repeats, and the one after what is signed; NULL where there is none."""
    name, number = quoted(database), int(partition)
    stored = " UNION ALL ".join(
        f"SELECT k_offset FROM {name}.{table} WHERE k_partition = {number}"
        for table in ("frames_stored", "repeats_stored")
    )
    signed = f"FROM {name}.checkpoints_stored WHERE partition = {number}"
    return (
        f"SELECT (SELECT maxOrNull(k_offset) FROM ({stored})) AS rows_end,"
        f" (SELECT maxOrNull(base_offset + tree_size) {signed}) AS signed_end"
    )


def offsets_statement(database: str, partition: int, wanted: Selection) -> str:
    """The offsets of the rows in `wanted`, ascending, as one column; of a range the first and the last alone."""
    chosen = f"FROM {quoted(database)}.frames_stored WHERE k_partition = {int(partition)}{wanted.condition()}"
    if wanted.is_range:
        return (
            f"SELECT arrayJoin(arrayDistinct([min(k_offset), max(k_offset)])) AS place {chosen}"
            " HAVING count() > 0 ORDER BY place"
        )
    return f"SELECT DISTINCT k_offset AS place {chosen} ORDER BY place"


def page_statement(  # noqa: PLR0917 - the whole address of a page
    database: str, part: Part, partition: int, after: int, limit: int, wanted: Selection = ALL
) -> str:
    """The records of `part` at the next `limit` places after `after`, in order; of rows only those in `wanted`."""
    table, number, place = _TABLES[part]
    source = f"{quoted(database)}.{table}"
    beyond = f"{number} = {int(partition)} AND {place} > {int(after)}"
    if part is Part.ROWS:
        beyond += wanted.condition()
    next_ones = f"SELECT {place} FROM {source} WHERE {beyond} ORDER BY {place} LIMIT {int(limit)}"
    chosen = f"FROM {source} WHERE {beyond} AND {place} <= (SELECT max({place}) FROM ({next_ones}))"
    if part is Part.ROWS:
        return f"SELECT {columns('f.')} FROM (SELECT * {chosen}) AS f ORDER BY f.k_offset"
    if part is Part.REPEATS:
        return _repeats(quoted(database), chosen)
    if part is Part.CHECKPOINTS:
        return f"SELECT {_CHECKPOINT} FROM (SELECT * {chosen} ORDER BY tree_size, kind = 'anchor', k_offset)"
    return f"SELECT {_TOMBSTONE} FROM (SELECT * {chosen} ORDER BY first_offset)"


def _repeats(database: str, chosen: str) -> str:
    """Repeats in the columns of their twins; `found` is 0 where there is none."""
    here = {name: f"r.{name}" for name in ("k_partition", "k_offset", "frames_partition", "frames_offset")}
    wanted = f"(lane, lane_seq) IN (SELECT lane, lane_seq {chosen})"
    return (
        f"SELECT {columns('f.', **here)}, toInt32(f.parts > 0) AS found FROM (SELECT * {chosen}) AS r"
        f" LEFT JOIN (SELECT * FROM {database}.frames_stored WHERE {wanted}) AS f"
        " ON f.lane = r.lane AND f.lane_seq = r.lane_seq ORDER BY r.k_offset LIMIT 1 BY r.k_offset"
    )


def records_of(part: Part, container: bytes) -> Iterator[dict[str, Any]]:
    """The records in the store's answer, as `sinks.verify.trail` has them."""
    return map(_SHAPES[part], rows_of(container))


def place_of(part: Part, record: dict[str, Any]) -> int:
    """What the next page goes on after."""
    place: int = record[_TABLES[part][2]]
    return place


def _same(record: dict[str, Any]) -> dict[str, Any]:
    return record


def _repeat(record: dict[str, Any]) -> dict[str, Any]:
    if not record.pop("found"):
        return {"k_offset": record["k_offset"], "repeat": True}
    return {**record, "repeat": True}


def _text(*raw: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Decodes all text but that in the columns `raw`."""

    def shape(record: dict[str, Any]) -> dict[str, Any]:
        return {name: value if name in raw else _decoded(value) for name, value in record.items()}

    return shape


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


_SHAPES: dict[Part, Callable[[dict[str, Any]], dict[str, Any]]] = {
    Part.ROWS: _same,
    Part.REPEATS: _repeat,
    Part.CHECKPOINTS: _text("leaves", "root_hash", "evidence"),
    Part.TOMBSTONES: _text("leaves_sha256", "signature"),
}
