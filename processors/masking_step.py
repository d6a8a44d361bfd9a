"""One frame from `frames` to `audit`: pure, without clock or chance, so that a repeat gives the same bytes.

A frame in several parts is masked part by part as text: its structure cannot be read from a part, and the gateway
masked the whole body before it cut it.
"""

from dataclasses import dataclass

from masking import Masked, MaskingError
from masking import Redaction as Found
from processors.deadline import DeadlineExceededError
from processors.masks import Mask
from schemas.codec import CodecError
from schemas.frames import OpenedFrame, Redaction, audit_value, open_frame


@dataclass(frozen=True, slots=True)
class Audited:
    """The frame is ready for topic `audit`. `redactions`: how many secrets the deep masking replaced."""

    value: bytes
    redactions: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """The record cannot be processed. Neither text holds anything of its content."""

    reason_code: str
    reason: str


def step(
    value: bytes | None, partition: int, offset: int, mask: Mask, value_bytes_max: int
) -> Audited | Rejected:
    """The audit record of the frame `value` that stands at `partition`/`offset` of topic `frames`.

    Never raises for what is in the record: a value that is no frame, a body that the mask refuses, fails on or
    takes too long for, and a result above `value_bytes_max` come back as Rejected.
    """
    try:
        frame = open_frame(value or b"")
    except CodecError as error:
        return Rejected("undecodable", f"not a frame: {error}")
    masked = _mask(frame, mask)
    if isinstance(masked, Rejected):
        return masked
    audited = _close(frame, masked, partition, offset)
    if len(audited.value) > value_bytes_max:
        return Rejected("too-large", f"{len(audited.value)} bytes; topic audit takes {value_bytes_max}")
    return audited


def _mask(frame: OpenedFrame, mask: Mask) -> Masked[bytes] | Rejected:
    record = frame.record
    try:
        return mask(record["connection"], record["body"])
    except DeadlineExceededError as error:
        return Rejected("masking-timeout", f"masking was {error}")
    except MaskingError as error:  # its text tells the cause and never the content, by contract
        return Rejected("masking-refused", f"masking refused the body: {error}")
    except Exception as error:  # noqa: BLE001 - whatever a mask fails on must not pass unmasked
        return Rejected("masking-failed", f"masking raised {type(error).__name__}")


def _close(frame: OpenedFrame, masked: Masked[bytes], partition: int, offset: int) -> Audited:
    if not masked.redactions:
        return Audited(audit_value(frame, partition=partition, offset=offset))
    value = audit_value(
        frame,
        partition=partition,
        offset=offset,
        body=masked.text,
        deep_redactions=placed(masked),
    )
    return Audited(value, len(masked.redactions))


def placed(masked: Masked[bytes]) -> list[Redaction]:
    """The redactions with the places of their pseudonyms in the masked body.

    The masker tells places in its input, and may put quotes around a pseudonym. So each pseudonym is looked for
    from where it can stand at the earliest; the unchanged bytes before that are never searched.
    """
    rows: list[Redaction] = []
    done_input = done_output = 0
    for found in masked.redactions:
        start = _find(masked.text, found, done_output + found.start - done_input)
        end = start + len(found.pseudonym)
        rows.append(
            Redaction(path=found.path, rule=found.rule, start=start, end=end, pseudonym=found.pseudonym)
        )
        done_input, done_output = found.end, end
    return rows


def _find(body: bytes, found: Found, earliest: int) -> int:
    place = body.find(found.pseudonym.encode(), earliest)
    return place if place >= 0 else earliest
