"""One frame from `frames` to `audit`: pure, without clock or chance, so that a repeat gives the same bytes.

A frame in several parts is masked part by part as text: its structure cannot be read from a part, and the gateway
masked the whole body before it cut it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from masking import Masked, MaskingError, placed
from masking.deep import known_in
from processors.deadline import DeadlineExceededError
from processors.masks import Deep, Masks
from processors.memory import Memory
from schemas.codec import CodecError
from schemas.frames import FrameRecorded, OpenedFrame, Redaction, audit_value, open_frame

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DEAR = "name:"
"""Beginning of the rules that only the deep pass has: what they find is not late."""


@dataclass(frozen=True, slots=True)
class Audited:
    """The frame is ready for topic `audit`. `deep`: what the deep masking replaced; `late`: those of it that the
    inline pass should have replaced and let through to the client."""

    value: bytes
    frame: FrameRecorded
    deep: list[Redaction] = field(default_factory=list)
    late: list[Redaction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The record cannot be processed. Neither text holds anything of its content."""

    reason_code: str
    reason: str


def step(  # noqa: PLR0917 - a record, its place, and what it is done with
    value: bytes | None,
    partition: int,
    offset: int,
    masks: Masks,
    value_bytes_max: int,
    memory: Memory | None = None,
) -> Audited | Rejected:
    """The audit record of the frame `value` that stands at `partition`/`offset` of topic `frames`.

    `memory` is what the frame's session remembers; it learns what this frame gives away. Never raises for what is in
    the record: a value that is no frame, a body that the mask refuses, fails on or takes too long for, and a result
    above `value_bytes_max` come back as Rejected.
    """
    try:
        frame = open_frame(value or b"")
    except CodecError as error:
        return Rejected("undecodable", f"not a frame: {error}")
    memory = Memory(partition) if memory is None else memory
    seconds = recorded_us(frame.record) // 1_000_000
    deep = masks(frame.record["connection"], frame.record["principal_groups"])
    masked = _mask(frame, deep.mask, memory.known(offset, seconds))
    if isinstance(masked, Rejected):
        return masked
    audited = _close(frame, masked, deep, partition, offset)
    if len(audited.value) > value_bytes_max:
        return Rejected("too-large", f"{len(audited.value)} bytes; topic audit takes {value_bytes_max}")
    given_away = [*frame.record["redactions"], *audited.deep]
    if given_away:
        memory.learn(_digests(given_away), offset, seconds)
    return audited


def recorded_us(record: FrameRecorded) -> int:
    """When the gateway had the frame whole: UTC, in microseconds."""
    at: Any = record["recorded_at"]  # the codec reads Avro's timestamps as datetimes
    return int(at if isinstance(at, int) else (at - _EPOCH) // timedelta(microseconds=1))


def _mask(
    frame: OpenedFrame, mask: Callable[[bytes, Collection[str]], Masked[bytes]], known: Collection[str]
) -> Masked[bytes] | Rejected:
    try:
        return mask(frame.record["body"], known)
    except DeadlineExceededError as error:
        return Rejected("masking-timeout", f"masking was {error}")
    except MaskingError as error:  # its text tells the cause and never the content, by contract
        return Rejected("masking-refused", f"masking refused the body: {error}")
    except Exception as error:  # noqa: BLE001 - whatever a mask fails on must not pass unmasked
        return Rejected("masking-failed", f"masking raised {type(error).__name__}")


def _close(frame: OpenedFrame, masked: Masked[bytes], deep: Deep, partition: int, offset: int) -> Audited:
    if not masked.redactions:
        return Audited(audit_value(frame, partition=partition, offset=offset), frame.record)
    rows = [Redaction(**row) for row in placed(masked)]
    value = audit_value(frame, partition=partition, offset=offset, body=masked.text, deep_redactions=rows)
    return Audited(value, frame.record, rows, _late(frame.record, rows, deep))


def _late(record: FrameRecorded, rows: list[Redaction], deep: Deep) -> list[Redaction]:
    """What went to the client and should not have: neither requests nor what the profile leaves on purpose."""
    if record["direction"] != "response":
        return []
    return [row for row in rows if not row["rule"].startswith(DEAR) and row["rule"] not in deep.leave]


def _digests(rows: list[Redaction]) -> list[str]:
    """From redactions only: what merely looks like a pseudonym in a body may be anybody's writing."""
    return [
        digest for row in rows if not row["rule"].startswith(DEAR) for digest in known_in(row["pseudonym"])
    ]
