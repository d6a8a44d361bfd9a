"""Observations to records of topic `observations` and back."""

from zlib import crc32

from processors.anomaly.detector import Home, Source
from processors.anomaly.joining import Placed
from processors.anomaly.observation import Observation, Outcome
from processors.records import Outgoing
from schemas.codec import PREFIX_BYTES, codec
from schemas.frames import zigzag
from schemas.observations import TOPIC, ObservationRecord, observation_value, open_observation

TEXT_CHARACTERS_MAX = 2_000  # of each text: an observation is small, whatever a caller sends


def routed(placed: Placed, homes: list[Home], partitions: int) -> list[Outgoing]:
    """The records that bring an observation to its homes; a home is always on the same partition."""
    if not homes:
        return []
    rest = observation_value(_record(placed, ""))[PREFIX_BYTES + 1 :]  # all but the home, which stands first
    return [_to(f"{name}/{value}".encode("utf-8", "replace"), rest, partitions) for name, value in homes]


def _to(key: bytes, rest: bytes, partitions: int) -> Outgoing:
    value = codec("observation").prefix + zigzag(len(key)) + key + rest
    return Outgoing(TOPIC, partition_of(key, partitions), key, value)


def partition_of(key: bytes, partitions: int) -> int:
    """Where a home is."""
    return crc32(key) % partitions


def opened(value: bytes) -> tuple[Observation, Home, Source]:
    """The observation in a value of the topic, its home, and where it came from. Raises CodecError."""
    record = open_observation(value)
    name, _, whose = record["home"].partition("/")
    seen = Observation(
        at=record["at"],
        principal=record["principal"],
        groups=tuple(record["groups"]),
        client=record["client"],
        address=record["address"],
        connection=record["connection"],
        session_id=record["session_id"],
        tool=record["tool"],
        method=record["method"],
        verb=record["verb"],
        object=record["object"],
        namespace=record["namespace"],
        sensitive=record["sensitive"],
        outcome=_outcome(record["outcome"]),
        request_bytes=record["request_bytes"],
        response_bytes=record["response_bytes"],
        redactions=record["redactions"],
        pseudonyms=tuple(record["pseudonyms"]),
        minted=record["minted"],
        prompt=record["prompt"],
        tool_changed=record["tool_changed"],
        approval_asked=record["approval_asked"],
        frame_id=record["frame_id"],
    )
    return seen, (name, whose), (record["source_partition"], record["source_position"])


def _record(placed: Placed, home: str) -> ObservationRecord:
    seen = placed.seen
    return {
        "home": home,
        "source_partition": placed.partition,
        "source_position": placed.position,
        "at": seen.at,
        "principal": seen.principal,
        "groups": list(seen.groups),
        "client": seen.client,
        "address": seen.address,
        "connection": seen.connection,
        "session_id": seen.session_id,
        "tool": seen.tool,
        "method": seen.method,
        "verb": seen.verb,
        "object": seen.object,
        "namespace": seen.namespace,
        "sensitive": seen.sensitive,
        "outcome": seen.outcome,
        "request_bytes": seen.request_bytes,
        "response_bytes": seen.response_bytes,
        "redactions": seen.redactions,
        "pseudonyms": list(seen.pseudonyms),
        "minted": seen.minted,
        "prompt": seen.prompt,
        "tool_changed": seen.tool_changed,
        "approval_asked": seen.approval_asked,
        "frame_id": seen.frame_id,
    }


def _outcome(text: str) -> Outcome:
    match text:
        case "ok" | "denied" | "held" | "failed":
            return text
        case _:
            return "error"
