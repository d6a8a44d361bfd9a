"""Findings: what a person should look at, and what became of it. Records of topic `findings`.

A finding lives in acts: it is `raised`, may be `repeated` while it lasts, is `acknowledged`, `closed` with a verdict,
`reopened`. All acts have its id.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict, cast
from uuid import UUID, uuid5

from schemas.codec import codec

TITLE_CHARACTERS_MAX = 500
TEXT_CHARACTERS_MAX = 2_000
EVIDENCE_MAX = 200
EVIDENCE_CHARACTERS_MAX = 100_000  # of all texts together
ATTRIBUTES_MAX = 50

_NAMESPACE = UUID("6f1c7d52-3c35-5d0a-9a55-0f3c6f0e8b11")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")

FindingAct = Literal["raised", "repeated", "acknowledged", "closed", "reopened"]
FindingVerdict = Literal["", "true-positive", "false-positive", "benign"]
VERDICTS: tuple[FindingVerdict, ...] = ("true-positive", "false-positive", "benign")


ACT_ACTIONS: Mapping[FindingAct, str] = {
    "acknowledged": "finding.acknowledge",
    "closed": "finding.close",
    "reopened": "finding.reopen",
}
"""What a person's act is called among the acts of operators."""


class KnownFinding(TypedDict):
    """What the store tells of a finding, as far as an act on it repeats that."""

    finding_id: str
    rule: str
    severity: str
    title: str
    evidence: list[str]
    count: int
    attributes: dict[str, str]


class FindingRecord(TypedDict):
    """A record of topic `findings`; fields as in `finding.avsc`."""

    finding_id: str
    rule: str
    severity: Severity
    raised_at: int
    title: str
    evidence: list[str]
    act: FindingAct
    count: int
    attributes: dict[str, str]
    by: str
    comment: str
    verdict: FindingVerdict


def finding_record(
    rule: str,
    severity: Severity,
    title: str,
    evidence: Sequence[str],
    *,
    raised_at: int,
    act: FindingAct = "raised",
    name: str | None = None,
    count: int = 1,
    attributes: Mapping[str, str] | None = None,
    by: str = "",
    comment: str = "",
    verdict: FindingVerdict = "",
) -> FindingRecord:
    """An act of a finding. Its id comes from rule and evidence, so that the same one raised twice is one.

    With `name` the id comes from rule and name instead, and the evidence may grow while the finding lasts; otherwise
    put what makes it another finding (a digest, an id) into the evidence. `raised_at` is UTC in microseconds, of this
    act. `count` is how many observations it stands for so far. Texts beyond their bounds are cut. Raises ValueError
    when a closed one has no verdict, or another one has.
    """
    if (act == "closed") != bool(verdict):
        raise ValueError("a finding is closed with a verdict, and no other act has one")
    return {
        "finding_id": finding_id(rule, evidence, name),
        "rule": rule,
        "severity": severity,
        "raised_at": raised_at,
        "title": _cut(title, TITLE_CHARACTERS_MAX),
        "evidence": _first(evidence),
        "act": act,
        "count": count,
        "attributes": _bounded(attributes or {}),
        "by": _cut(by, TEXT_CHARACTERS_MAX),
        "comment": _cut(comment, TEXT_CHARACTERS_MAX),
        "verdict": verdict,
    }


def finding_id(rule: str, evidence: Sequence[str], name: str | None = None) -> str:
    """Id (UUIDv5) of what a rule found: from `name`, else from the evidence."""
    return str(uuid5(_NAMESPACE, json.dumps([rule, *evidence] if name is None else {rule: name})))


def acted(
    finding: FindingRecord,
    act: FindingAct,
    *,
    at: int,
    by: str,
    comment: str = "",
    verdict: FindingVerdict = "",
) -> FindingRecord:
    """`act` of a person on `finding`. Raises ValueError when a closed one has no verdict, or another one has."""
    if (act == "closed") != bool(verdict):
        raise ValueError("a finding is closed with a verdict, and no other act has one")
    said = {"act": act, "raised_at": at, "by": by, "comment": _cut(comment, TEXT_CHARACTERS_MAX)}
    return cast("FindingRecord", {**finding, **said, "verdict": verdict})


def raised_again(found: KnownFinding) -> FindingRecord:
    """The record of a stored finding, for `acted`: an act carries all that is known of the finding."""
    record = finding_record(
        found["rule"],
        cast("Severity", found["severity"]),
        found["title"],
        found["evidence"],
        raised_at=0,
        count=found["count"],
        attributes=found["attributes"],
    )
    return {**record, "finding_id": found["finding_id"]}


def finding_value(record: FindingRecord) -> bytes:
    """The value for topic `findings`; its key is the rule. Raises CodecError when it does not fit."""
    return codec("finding").encode(record)


def open_finding(value: bytes | None) -> FindingRecord:
    """The record in a value of topic `findings`, of any version. Raises CodecError for anything else."""
    found = codec("finding").decode(value or b"")
    found["finding_id"] = str(found["finding_id"])
    found["raised_at"] = (found["raised_at"] - _EPOCH) // timedelta(microseconds=1)
    return cast("FindingRecord", found)


def _first(evidence: Sequence[str]) -> list[str]:
    kept, room = [], EVIDENCE_CHARACTERS_MAX
    for text in evidence[:EVIDENCE_MAX]:
        if room > 0:
            kept.append(_cut(text, room))
            room -= len(kept[-1])
    return kept


def _bounded(attributes: Mapping[str, str]) -> dict[str, str]:
    kept = sorted(attributes.items())[:ATTRIBUTES_MAX]
    return {key: _cut(value, TEXT_CHARACTERS_MAX) for key, value in kept}


def _cut(text: str, characters_max: int) -> str:
    whole = text.encode("utf-8", "replace").decode()  # a lone surrogate is no text for Avro
    return whole if len(whole) <= characters_max else whole[:characters_max] + "…"
