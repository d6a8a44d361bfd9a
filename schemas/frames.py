"""Frames as typed records, and the way from one to its bytes on the topics `frames` and `audit`.

Life of a frame's bytes: the gateway fills a `FrameHeader`, `seal_frame` commits to the body, chains the header
and gives the value for topic `frames`. The processor opens it with `open_frame` and, with the body masked
deeper or not, closes it with `audit_value` for topic `audit`; the chained head is carried over byte for byte.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, TypedDict, cast

from schemas.codec import PREFIX_BYTES, Codec, CodecError, codec, load_schema, schema_versions
from schemas.digests import audit_digest, body_commitment, frame_digest

SALT_BYTES = 16
_DIGEST_BYTES = 32


class Redaction(TypedDict):
    """One replaced secret; fields as in `frame.avsc`."""

    path: str
    rule: str
    start: int
    end: int
    pseudonym: str


class FrameHeader(TypedDict):
    """The chained fields of a frame, as `frame.avsc` documents them."""

    frame_id: str
    exchange_id: str
    session_id: str
    lane: str
    lane_seq: int
    prev_digest: bytes
    part: int
    parts: int
    recorded_at: int
    elapsed_us: int
    direction: str
    protocol: str
    connection: str
    principal_issuer: str
    principal_subject: str
    principal_groups: list[str]
    client_id: str
    peer: str
    user_agent: str
    http_method: str
    http_path: str
    http_status: int
    http_headers: str
    content_type: str
    mcp_protocol_version: str
    mcp_session_id: str
    jsonrpc_type: str
    jsonrpc_id: str
    method: str
    tool: str
    resource: str
    sse_event_id: str
    verdict: str
    rule: str
    policy_version: str
    reason: str
    reason_code: str
    jsonrpc_error: int | None
    tool_is_error: bool | None
    outcome: str
    redactions: list[Redaction]
    attributes: dict[str, str]
    body_bytes: int
    body_commitment: bytes


class FrameRecorded(FrameHeader):
    """A whole record of topic `frames`."""

    digest: bytes
    body_salt: bytes
    body: bytes


class FrameAudited(FrameRecorded):
    """A whole record of topic `audit`."""

    frames_partition: int
    frames_offset: int
    deep_redactions: list[Redaction]
    audit_digest: bytes


@dataclass(frozen=True, slots=True)
class OpenedFrame:
    """A record of topic `frames`, with the encoded bytes of its chained fields beside it.

    `version` is the place of its schema in `schema_versions`: 0 for the present one.
    """

    record: FrameRecorded
    header: bytes
    version: int = 0


def seal_frame(header: FrameHeader, body: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """(value for topic `frames`, digest) of a frame; fills `body_commitment` in `header`.

    `salt` is 16 random bytes. Raises CodecError when the header does not fit the schema.
    """
    if len(salt) != SALT_BYTES:
        raise CodecError(f"a body salt has {SALT_BYTES} bytes, not {len(salt)}")
    header["body_commitment"] = body_commitment(salt, body)
    head = header_codec().encode_body(header)
    digest = frame_digest(head)
    return codec("frame").prefix + head + digest + _blob(salt) + _blob(body), digest


def open_frame(value: bytes) -> OpenedFrame:
    """The frame in a value of topic `frames`. Raises CodecError for anything else, also for a broken digest."""
    record = cast("FrameRecorded", codec("frame").decode(value))
    tail = _DIGEST_BYTES + len(_blob(record["body_salt"])) + len(_blob(record["body"]))
    header = value[PREFIX_BYTES:-tail]
    if frame_digest(header) != record["digest"]:
        raise CodecError("the digest does not match the frame")
    return OpenedFrame(record, header, codec("frame").prefixes.index(value[:PREFIX_BYTES]))


def audit_value(
    frame: OpenedFrame,
    *,
    partition: int,
    offset: int,
    body: bytes | None = None,
    deep_redactions: list[Redaction] | None = None,
) -> bytes:
    """The value for topic `audit`: `frame` as it stood at `partition`/`offset` of topic `frames`.

    `body` replaces the frame's body (None keeps it); the salt goes with the old body.
    """
    record = frame.record
    salt = record["body_salt"] if body is None else b""
    kept = record["body"] if body is None else body
    processing = _processing_codec().encode_body(
        {"frames_partition": partition, "frames_offset": offset, "deep_redactions": deep_redactions or []}
    )
    digest = record["digest"]
    closing = processing + audit_digest(digest, processing, kept)
    return (
        codec("audit").prefixes[frame.version] + frame.header + digest + _blob(salt) + _blob(kept) + closing
    )


def header_bytes(record: FrameRecorded) -> bytes:
    """The chained bytes of a decoded record, for checking its digest again: as the version it was written in has
    them. Of a record that fits no version, the bytes under the present one."""
    now = header_codec().encode_body(record)
    for version in range(1, len(schema_versions("frame"))):
        head = header_codec(version).encode_body(record)
        if frame_digest(head) == record["digest"]:
            return head
    return now


@cache
def header_codec(version: int = 0) -> Codec:
    """Codec of the chained fields alone: those of `frame.avsc` before `digest`, or of an earlier version of it."""
    return Codec(_part_of(schema_versions("frame")[version], "FrameHeader", None, "digest"))


@cache
def _processing_codec() -> Codec:
    schema = _part_of(load_schema("audit"), "Processing", "frames_partition", "audit_digest")
    redaction = next(f for f in load_schema("audit")["fields"] if f["name"] == "redactions")["type"]["items"]
    for field in schema["fields"]:
        if field["name"] == "deep_redactions":
            field["type"] = {"type": "array", "items": redaction}
    return Codec(schema)


def _part_of(schema: dict[str, Any], name: str, first: str | None, until: str) -> dict[str, Any]:
    names = [field["name"] for field in schema["fields"]]
    fields = schema["fields"][names.index(first) if first else 0 : names.index(until)]
    return {**schema, "name": name, "fields": fields}


def _blob(data: bytes) -> bytes:
    """Avro `bytes`: the length as a zigzag varint, then the bytes."""
    return zigzag(len(data)) + data


def zigzag(number: int) -> bytes:
    """Avro `int`/`long` of a non-negative number."""
    number <<= 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
