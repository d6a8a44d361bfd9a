"""What may be asked at all: bounds on a request, whoever signed it."""

import re

from schemas.approvals import ApprovalRequest
from schemas.hours import hours
from schemas.terms import LIFETIME_SECONDS_MAX, PEOPLE_MAX, USES_MAX

SECOND = 1_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fault(request: ApprovalRequest) -> str:
    """Why nobody can be asked this; '' when they can."""
    for found in (_time_fault(request), _quorum_fault(request), _kind_fault(request)):
        if found:
            return found
    return ""


def _time_fault(request: ApprovalRequest) -> str:
    seconds = (request["expires_at"] - request["requested_at"]) / SECOND
    if not 0 < seconds <= LIFETIME_SECONDS_MAX:
        return "expires_at is not within 30 days after requested_at"
    if not 0 <= request["grant_seconds"] <= LIFETIME_SECONDS_MAX:
        return "grant_seconds is not within 30 days"
    try:
        hours(request["hours"])
    except ValueError as error:
        return f"hours: {error}"
    return ""


def _quorum_fault(request: ApprovalRequest) -> str:
    parts = request["quorum"]
    if not parts or not all(part["people"] >= 1 and any(part["reviewers"]) for part in parts):
        return "quorum names no reviewers, or asks for nobody of them"
    if sum(part["people"] for part in parts) > PEOPLE_MAX:
        return f"quorum asks for more than {PEOPLE_MAX} people"
    return "" if request["principal_subject"] else "nobody asks"


def _kind_fault(request: ApprovalRequest) -> str:
    kind = request["kind"]
    if kind == "access":
        return "" if request["grant_seconds"] else "access needs grant_seconds"
    if not _SHA256.fullmatch(request["argument_digest"]):
        return "argument_digest is no SHA-256 in hex"
    if kind == "standing":
        return (
            "" if _bounded(request) else f"a standing grant needs grant_seconds, and at most {USES_MAX} uses"
        )
    if kind == "break_glass" and not 0 < request["review_seconds"] <= LIFETIME_SECONDS_MAX:
        return "break_glass needs review_seconds, at most 30 days"
    return ""


def _bounded(request: ApprovalRequest) -> bool:
    return request["grant_seconds"] > 0 and 0 <= request["uses_max"] <= USES_MAX
