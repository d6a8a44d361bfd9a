"""Observations: what anomaly rules see of a call. Records of topic `observations`, one for each home of rows."""

from typing import TypedDict, cast

from schemas.codec import codec

TOPIC = "observations"


class ObservationRecord(TypedDict):
    """A record of topic `observations`; fields as in `observation.avsc`."""

    home: str
    source_partition: int
    source_position: int
    at: int
    principal: str
    groups: list[str]
    client: str
    address: str
    connection: str
    session_id: str
    tool: str
    method: str
    verb: str
    object: str
    namespace: str
    sensitive: bool
    outcome: str
    request_bytes: int
    response_bytes: int
    redactions: int
    pseudonyms: list[str]
    minted: bool
    prompt: bool
    tool_changed: bool
    approval_asked: bool
    frame_id: str


def observation_value(record: ObservationRecord) -> bytes:
    """The value for topic `observations`; its key is the home. Raises CodecError when it does not fit."""
    return codec("observation").encode(record)


def open_observation(value: bytes) -> ObservationRecord:
    """The record in a value of topic `observations`. Raises CodecError for anything else."""
    return cast("ObservationRecord", codec("observation").decode(value))
