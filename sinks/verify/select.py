"""The columns of a stored row as a proof needs them, and the statements that give them, page by page.

The store answers in Avro object containers whose text columns are bytes: nothing is lost on the way, and what an
attacker made no UTF-8 does not break the reading.
"""

import io
from collections.abc import Iterator
from typing import Any, cast

from fastavro import block_reader

from schemas.codec import load_schema
from sinks.clickhouse import quoted
from sinks.verify.rebuild import Row

FORMAT = "Avro"
SETTINGS = {
    "output_format_avro_codec": "null",
    "output_format_avro_string_column_pattern": "^$",  # no column: all text comes as bytes
    "output_format_avro_sync_interval": str(1 << 20),
}
_PLACE = ("k_partition", "k_offset", "schema_fingerprint")
_HOW = {
    "uuid": "toString({})",
    "timestamp-micros": "toUnixTimestamp64Micro({})",
    "map": "CAST({}, 'Array(Tuple(key String, value String))')",
    "long": "toInt64({})",
    "int": "toInt32({})",
}


def columns(prefix: str = "", **instead: str) -> str:
    """The select list of `frames_stored`; `instead` names columns that come from elsewhere."""
    fields = [(field["name"], _how(field["type"])) for field in load_schema("audit")["fields"]]
    listed = [*((name, "{}") for name in _PLACE), *fields, ("body_sha256", "{}")]
    return ", ".join(
        f"{how.format(instead.get(name, prefix + quoted(name)))} AS {quoted(name)}" for name, how in listed
    )


def _how(kind: Any) -> str:
    named = kind.get("logicalType", kind["type"]) if isinstance(kind, dict) else kind
    return _HOW.get(named, "{}") if isinstance(named, str) else "{}"


def rows_of(container: bytes) -> Iterator[Row]:
    """The records of an Avro object container; nothing of an empty one."""
    if container:
        for block in block_reader(io.BytesIO(container)):
            yield from (cast("Row", record) for record in block)
