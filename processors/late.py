"""Findings of the deep pass (schema `finding`): the inline pass let a secret through to the client."""

from uuid import uuid5

from processors.findings import NAMESPACE
from processors.masking_step import Audited, recorded_us
from processors.records import Outgoing
from schemas.codec import codec
from schemas.frames import FrameRecorded, Redaction

RULE = "late-redaction"
FINDINGS_MAX = 20
"""Findings of one frame: what is beyond is in the record's redactions."""


def late(audited: Audited) -> list[Outgoing]:
    """One finding for each rule and secret, in the order of their places.

    Ids come from session, rule and pseudonym, and the time from the frame: a repeat is byte-identical, and the same
    secret coming through again is the same finding.
    """
    firsts = {(row["rule"], row["pseudonym"]): row for row in reversed(audited.late)}
    rows = sorted(firsts.values(), key=lambda row: row["start"])
    return [_finding(audited.frame, row) for row in rows[:FINDINGS_MAX]]


def _finding(frame: FrameRecorded, row: Redaction) -> Outgoing:
    rule, pseudonym = row["rule"], row["pseudonym"]
    record = {
        "finding_id": str(uuid5(NAMESPACE, f"{RULE}:{frame['session_id']}:{rule}:{pseudonym}")),
        "rule": RULE,
        "severity": "high",
        "raised_at": recorded_us(frame),
        "title": f"A secret went to the client over {frame['connection']}; rule {rule} caught it in the deep pass",
        "evidence": [
            f"frame: {frame['frame_id']}",
            f"exchange: {frame['exchange_id']}",
            f"session: {frame['session_id']}",
            f"rule: {rule}",
            f"pseudonym: {pseudonym}",
            f"part: {frame['part']}",
            *([f"bytes: {row['start']}-{row['end']}"] if row["start"] >= 0 else []),
        ],
    }
    return Outgoing("findings", 0, RULE.encode(), codec("finding").encode(record))
