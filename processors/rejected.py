"""Dead letters: what could not be processed, kept with the reason (schema `dead_letter`)."""

from processors.masking_step import Rejected
from processors.records import Incoming, Outgoing
from schemas.codec import codec

DEAD_LETTERS = "dead-letters"
OVERHEAD_BYTES = 4096


def dead_letter(
    record: Incoming, rejected: Rejected, limit: int, component: str = "processors.masking"
) -> Outgoing:
    """The dead letter of `record`, which `component` could not process. A repeat is byte-identical.

    A value that leaves no room for it under `limit` bytes is left out, and the reason says so: the record itself
    stays in its topic until retention takes it.
    """
    key, kept, reason = record.key or b"", record.value or b"", rejected.reason
    if len(kept) + len(key) + OVERHEAD_BYTES > limit:
        kept, reason = b"", f"{reason}; the value ({len(kept)} bytes) is too large to be kept here"
    letter = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "component": component,
        "reason_code": rejected.reason_code,
        "reason": reason,
        "key": key,
        "value": kept,
    }
    place = f"{record.topic}-{record.partition}-{record.offset}".encode()
    return Outgoing(DEAD_LETTERS, 0, place, codec("dead_letter").encode(letter))
