"""Which frame an audit record or a dead letter is about, without decoding the rest of it."""

import io
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader

from schemas.codec import PREFIX_BYTES, CodecError, codec


class PositionReader:
    """Reads a few fields of a record of schema `name`; the others are stepped over, at half the cost."""

    def __init__(self, name: str, fields: tuple[str, ...]) -> None:
        schema = codec(name).schema
        self._name = name
        self._prefix = codec(name).prefix
        self._writer = parse_schema(schema)
        self._reader = parse_schema(
            {**schema, "fields": [f for f in schema["fields"] if f["name"] in fields]}
        )

    def read(self, value: bytes) -> dict[str, Any]:
        """The fields. Raises CodecError when the value is not such a record."""
        if value[:PREFIX_BYTES] != self._prefix:
            raise CodecError(f"not a {self._name} in single-object encoding")
        try:
            row = schemaless_reader(io.BytesIO(value[PREFIX_BYTES:]), self._writer, self._reader)
        except (ValueError, TypeError, IndexError, EOFError, KeyError, OverflowError, MemoryError) as error:
            raise CodecError(f"broken {self._name}: {type(error).__name__}") from error
        return cast("dict[str, Any]", row)  # a record schema gives a dict


AUDIT = PositionReader("audit", ("frames_partition", "frames_offset"))
DEAD_LETTER = PositionReader("dead_letter", ("topic", "partition", "offset"))
