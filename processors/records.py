"""Records as they come from Kafka and go to it."""

from typing import NamedTuple


class Incoming(NamedTuple):
    """A record as it stands in its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Outgoing(NamedTuple):
    """A record on its way. Its order among those of one partition is kept."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
