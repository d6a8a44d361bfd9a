"""Avro as the store takes it: a checked look into a value, and many values as one object container.

The store reads the very bytes that lay on the topic. In front of each record's body go two varints, the Kafka
partition and offset, and the fingerprint of its schema; the container's schema says so: `k_partition`, `k_offset`,
`schema_fingerprint`, then the writer's fields. Nothing is decoded into rows and encoded again.
Source: Apache Avro specification, "Object Container Files".
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from fastavro import parse_schema, schemaless_reader

from schemas.codec import MARKER, PREFIX_BYTES, Codec
from schemas.frames import zigzag

_MAGIC = b"Obj\x01"
_FRONT = [
    {"name": "k_partition", "type": "int"},
    {"name": "k_offset", "type": "long"},
    {"name": "schema_fingerprint", "type": "string"},
]


class UnfitError(ValueError):
    """A value cannot be stored. `reason_code` is for a program; the text names the fault, never the content."""

    def __init__(self, reason_code: str, reason: str) -> None:
        super().__init__(reason)
        self.reason_code = reason_code


@dataclass(frozen=True, slots=True)
class Placed:
    """One value of a topic and where it lay."""

    partition: int
    offset: int
    value: bytes


class WriterSchema:
    """One schema that values were written with: looks into them, and packs them for the store.

    `look` names the fields that `read` gives back; the last field is always among those read, so that a value
    cut short is found.
    """

    def __init__(self, schema: dict[str, Any], look: Iterable[str]) -> None:
        self.fingerprint = Codec(schema).fingerprint
        names = [field["name"] for field in schema["fields"]]
        wanted = {*look, names[-1]}
        plain = _without_logical_types(schema)
        self._writer = parse_schema(plain)
        self._reader = parse_schema(_only(plain, wanted))
        self._head = _container_head({**plain, "fields": [*_FRONT, *schema["fields"]]})
        self._sync = self._head[-16:]
        shown = self.fingerprint[::-1].hex().encode()
        self._shown = zigzag(len(shown)) + shown

    def read(self, value: bytes) -> dict[str, Any]:
        """The looked-at fields of `value` (prefix included). Raises UnfitError for a broken, cut or longer one."""
        source = io.BytesIO(value)
        source.seek(PREFIX_BYTES)
        try:
            record: dict[str, Any] = schemaless_reader(source, self._writer, self._reader)
        except (ValueError, TypeError, IndexError, EOFError, KeyError, OverflowError, MemoryError) as exc:
            fault = f"the value breaks off or breaks its schema: {type(exc).__name__}"
            raise UnfitError("undecodable", fault) from exc
        if source.tell() != len(value):
            raise UnfitError("undecodable", f"{len(value) - source.tell()} bytes follow the record")
        return record

    def container(self, records: Sequence[Placed]) -> bytes:
        """All `records` as one Avro object container of one block; the same records give the same bytes."""
        block = b"".join(
            part
            for record in records
            for part in (
                zigzag(record.partition),
                zigzag(record.offset),
                self._shown,
                record.value[PREFIX_BYTES:],
            )
        )
        return b"".join((self._head, zigzag(len(records)), zigzag(len(block)), block, self._sync))


class WriterSchemas:
    """The schemas a topic's values may be written with, by fingerprint."""

    def __init__(self, schemas: Iterable[dict[str, Any]], look: Iterable[str]) -> None:
        wanted = tuple(look)
        self._known = {known.fingerprint: known for known in (WriterSchema(s, wanted) for s in schemas)}

    def of(self, value: bytes | None) -> WriterSchema:
        """The schema that `value` names in its prefix. Raises UnfitError when it names none or an unknown one."""
        if not value or value[: len(MARKER)] != MARKER or len(value) < PREFIX_BYTES:
            raise UnfitError("not_avro", "the value is not in Avro single-object encoding")
        known = self._known.get(value[len(MARKER) : PREFIX_BYTES])
        if known is None:
            fingerprint = value[len(MARKER) : PREFIX_BYTES][::-1].hex()
            raise UnfitError("unknown_schema", f"no schema with the fingerprint {fingerprint} is known here")
        return known


def _without_logical_types(node: Any) -> Any:
    """`node` with the logical types taken out: ids stay text and times stay numbers, which is half the cost."""
    if isinstance(node, dict):
        return {key: _without_logical_types(item) for key, item in node.items() if key != "logicalType"}
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    return node


def _only(schema: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    fields = schema["fields"]
    kept = [_with_type(field, fields) for field in fields if field["name"] in wanted]
    return {**schema, "fields": kept}


def _with_type(field: dict[str, Any], fields: list[dict[str, Any]]) -> dict[str, Any]:
    """`field` with its named type spelled out, where another field that is left out defines it."""
    for other in fields:
        kind = other["type"]
        if isinstance(kind, dict) and kind.get("name") == field["type"]:
            return {**field, "type": kind}
    return field


def _container_head(schema: dict[str, Any]) -> bytes:
    text = json.dumps(schema, separators=(",", ":")).encode()
    sync = md5(text, usedforsecurity=False).digest()  # any 16 bytes; these make equal input equal output
    entries = ((b"avro.codec", b"null"), (b"avro.schema", text))
    meta = b"".join(zigzag(len(part)) + part for entry in entries for part in entry)
    return _MAGIC + zigzag(len(entries)) + meta + zigzag(0) + sync
