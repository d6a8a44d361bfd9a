"""What is about to be signed, in the commit metadata of the group: only the owner of a partition can write it."""

import base64
import binascii
from hashlib import sha256

import structlog
from aiokafka.structs import OffsetAndMetadata

from processors.checkpoints.log import Kept, Log, kept, read_kept

log = structlog.get_logger(__name__)

# Kafka takes 4,096 bytes (offset.metadata.max.bytes); a tree of 2⁴⁰ leaves needs 3,470 at most.
_TAG_BYTES = 8


def entry(of: Log, origin: str) -> OffsetAndMetadata:
    """What to commit before the draft of `of`, the log `origin`, is signed."""
    return OffsetAndMetadata(of.position, base64.b64encode(_tag(origin) + kept(of)).decode("ascii"))


def read_entry(origin: str, found: OffsetAndMetadata | None) -> Kept | None:
    """What was committed last for log `origin`. None for nothing, and for what cannot be read: then the leaves on
    the topic tell."""
    if found is None:
        return None
    try:
        content = base64.b64decode(found.metadata, validate=True)
        return read_kept(content[_TAG_BYTES:]) if content[:_TAG_BYTES] == _tag(origin) else None
    except (binascii.Error, ValueError) as error:
        reason = str(error)
    log.error("checkpoint_intent_unreadable", origin=origin, reason=reason)
    return None


def _tag(origin: str) -> bytes:
    """What another name of the log does not take for its own."""
    return sha256(origin.encode()).digest()[:_TAG_BYTES]
