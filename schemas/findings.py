"""Findings: what a person should look at. Records of topic `findings`."""

import json
from collections.abc import Sequence
from typing import Literal, TypedDict
from uuid import UUID, uuid5

from schemas.codec import codec

_NAMESPACE = UUID("6f1c7d52-3c35-5d0a-9a55-0f3c6f0e8b11")

Severity = Literal["info", "low", "medium", "high", "critical"]


class FindingRecord(TypedDict):
    """A record of topic `findings`; fields as in `finding.avsc`."""

    finding_id: str
    rule: str
    severity: Severity
    raised_at: int
    title: str
    evidence: list[str]


def finding_record(
    rule: str, severity: Severity, title: str, evidence: Sequence[str], *, raised_at: int
) -> FindingRecord:
    """A finding. Its id comes from rule and evidence, so that the same one raised twice is one.

    `raised_at` is UTC in microseconds. Put what makes it another finding (a digest, an id) into the evidence.
    """
    name = json.dumps([rule, *evidence])
    return {
        "finding_id": str(uuid5(_NAMESPACE, name)),
        "rule": rule,
        "severity": severity,
        "raised_at": raised_at,
        "title": title,
        "evidence": list(evidence),
    }


def finding_value(record: FindingRecord) -> bytes:
    """The value for topic `findings`; its key is the rule. Raises CodecError when it does not fit."""
    return codec("finding").encode(record)
