"""Records of `audit` that are not stored because their frame is: where they lay and what they said of themselves.

The checkpointed log has a leaf for each of them too, and a check of the store has to account for it.
"""

from typing import Any

from schemas.codec import Codec, codec
from sinks.avro import Placed, WriterSchema

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


class Repeats:
    """Turns records of `audit` into rows of the table; stateless."""

    def __init__(self) -> None:
        self.schema = WriterSchema(_SCHEMA, ("lane_seq",))
        self._codec = Codec(_SCHEMA)

    def of(self, record: Placed) -> Placed:
        """The row of one repeat. Raises CodecError for what is no record of `audit`."""
        frame = codec("audit").decode(record.value)
        return Placed(record.partition, record.offset, self._codec.encode(frame))
