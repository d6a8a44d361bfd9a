"""Avro single-object encoding: two marker bytes, the CRC-64-AVRO fingerprint of the writer's schema, the body.

Source: Apache Avro specification, "Single-object encoding" and "Schema fingerprints".
"""

import io
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

MARKER = b"\xc3\x01"
PREFIX_BYTES = 10


class CodecError(ValueError):
    """A value is not what its topic should hold. The message names the fault, never the content."""


def load_schema(name: str) -> dict[str, Any]:
    """The schema `schemas/avro/NAME.avsc` as JSON. Raises FileNotFoundError for an unknown name."""
    text = files("schemas").joinpath("avro", f"{name}.avsc").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def schema_versions(name: str) -> tuple[dict[str, Any], ...]:
    """The schema NAME as it is now, and its earlier versions, kept beside it as `NAME.VERSION.avsc`."""
    earlier = sorted(
        entry.name.removesuffix(".avsc")
        for entry in files("schemas").joinpath("avro").iterdir()
        if entry.name.startswith(f"{name}.") and entry.name != f"{name}.avsc"
    )
    return tuple(load_schema(version) for version in (name, *earlier))


class Codec:
    """Encodes and decodes the records of one schema, and decodes those of its `earlier` versions: fields that these
    lack have their defaults. Stateless, so one may serve a whole process."""

    def __init__(self, schema: dict[str, Any], earlier: tuple[dict[str, Any], ...] = ()) -> None:
        self.schema = schema
        self._parsed = parse_schema(schema)
        crc = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
        self.fingerprint = bytes.fromhex(crc)[::-1]  # the hex is big-endian, the wire is little-endian
        self.prefix = MARKER + self.fingerprint
        self._writers = {Codec(version).prefix: parse_schema(version) for version in earlier}
        self.prefixes = (self.prefix, *self._writers)  # of the versions, in the order of `schema_versions`

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """`record` in single-object encoding. Raises CodecError when it does not fit the schema."""
        return self.prefix + self.encode_body(record)

    def encode_body(self, record: Mapping[str, Any]) -> bytes:
        """The bare Avro body, without marker and fingerprint."""
        out = io.BytesIO()
        try:
            schemaless_writer(out, self._parsed, record)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as exc:
            raise CodecError(f"does not fit schema {self.schema['name']}: {type(exc).__name__}") from exc
        return out.getvalue()

    def decode(self, value: bytes) -> dict[str, Any]:
        """The record in `value`. Raises CodecError on another schema, a cut or a trailing byte."""
        prefix = value[:PREFIX_BYTES]
        if prefix == self.prefix:
            return self.decode_body(value[PREFIX_BYTES:])
        if prefix not in self._writers:
            raise CodecError(f"not a {self.schema['name']} in single-object encoding")
        return self._read(value[PREFIX_BYTES:], self._writers[prefix], self._parsed)

    def decode_body(self, body: bytes) -> dict[str, Any]:
        """The record in a bare Avro body. Raises CodecError as `decode` does."""
        return self._read(body, self._parsed, None)

    def _read(self, body: bytes, writer: Any, reader: Any) -> dict[str, Any]:
        source = io.BytesIO(body)
        try:
            record = schemaless_reader(source, writer, reader)
        except (ValueError, TypeError, IndexError, EOFError, KeyError, OverflowError, MemoryError) as exc:
            raise CodecError(f"broken {self.schema['name']}: {type(exc).__name__}") from exc
        if source.tell() != len(body):
            raise CodecError(f"{len(body) - source.tell()} bytes follow the {self.schema['name']}")
        return cast("dict[str, Any]", record)


@cache
def codec(name: str) -> Codec:
    """The codec of `schemas/avro/NAME.avsc` and its earlier versions, parsed once."""
    now, *earlier = schema_versions(name)
    return Codec(now, tuple(earlier))
