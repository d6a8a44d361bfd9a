"""Attempts to tell people of findings: records of topic `alerts.attempts`."""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict, cast

from schemas.codec import codec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LetterTold(TypedDict):
    """Findings of one rule and one principal, told together."""

    letter: str
    findings: list[str]
    more: int


class AlertAttempt(TypedDict):
    """A record of topic `alerts.attempts`; fields as in `alert_attempt.avsc`."""

    attempt_id: str
    at: int
    made_at: int
    route: str
    url: int
    letters: list[LetterTold]
    outcome: Literal["delivered", "failed"]
    fault: str


def attempt_value(record: AlertAttempt) -> bytes:
    """The value for topic `alerts.attempts`; its key is the route. Raises CodecError when it does not fit."""
    return codec("alert_attempt").encode(record)


def open_attempt(value: bytes | None) -> AlertAttempt:
    """The record in a value. Raises CodecError for anything else."""
    found = codec("alert_attempt").decode(value or b"")
    found["attempt_id"] = str(found["attempt_id"])
    for name in ("at", "made_at"):
        found[name] = (found[name] - _EPOCH) // timedelta(microseconds=1)
    return cast("AlertAttempt", found)
