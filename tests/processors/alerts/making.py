"""Findings, routes and boards of the alerts' tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from processors.alerts.board import Board, Parcel
from processors.alerts.settings import AlertSettings, Route
from schemas.alerts import AlertAttempt
from schemas.findings import FindingRecord, finding_record

SECOND = 1_000_000
HOUR = 3_600 * SECOND
T0 = 1_790_000_000 * SECOND
ISSUER = "https://id.example.com"


def finding(
    rule: str = "secret-reads", at: int = T0, who: str = "alice", severity: Any = "high", **over: Any
) -> FindingRecord:
    """A finding about a caller, with a name of its own unless one is given; `facts` adds attributes."""
    facts = {"principal_issuer": ISSUER, "principal_subject": who, "connection": "prod"} if who else {}
    facts |= over.pop("facts", {})
    over.setdefault("name", str(uuid4()))
    title = over.pop("title", f"{who} read 14 secrets")
    return finding_record(rule, severity, title, ["f1"], raised_at=at, attributes=facts, **over)


def settings(*routes: Route, **over: Any) -> AlertSettings:
    """Routes of one URL each, unless some are given."""
    return AlertSettings(Path(), routes or (route(),), **over)


def route(name: str = "security", **over: Any) -> Route:
    """A route whose URL nobody listens on."""
    over.setdefault("urls", ("json://127.0.0.1:9/",))
    return Route(name, **over)


def attempt(parcel: Parcel, at: int, fault: str = "") -> AlertAttempt:
    """How the delivery of a parcel went."""
    return {
        "attempt_id": str(uuid4()),
        "at": at,
        "made_at": parcel.made_at,
        "route": parcel.target.route,
        "url": parcel.target.url,
        "letters": parcel.told(),
        "outcome": "failed" if fault else "delivered",
        "fault": fault,
    }


def delivered(board: Board, now: int) -> list[list[str]]:
    """Delivers what is due until nothing is; the titles of each message."""
    told = []
    while parcels := board.due(now):
        for parcel in parcels:
            told.append([line["title"] for row in parcel.letters for line in row["lines"]])
            assert board.attempted(attempt(parcel, now)) == []
    return told
