"""How sessions and frames look to a person: which columns, which words. Rows in, text cells out; no I/O."""

from collections.abc import Mapping
from typing import Any

from sinks.readers import Frame, Session
from sinks.words import act, outcome

SESSION_COLUMNS = (
    "session",
    "last",
    "connection",
    "principal",
    "exchanges",
    "frames",
    "denied",
    "errors",
    "masked",
)
FRAME_COLUMNS = (
    "recorded",
    "direction",
    "method",
    "on",
    "status",
    "outcome",
    "bytes",
    "masked",
    "exchange",
)

_ARROWS = {"request": "→", "response": "←", "end": "■"}


def session_cells(session: Session) -> tuple[Any, ...]:
    """One row of `sessions list`."""
    return (
        session["session_id"],
        moment(session["last_at"]),
        session["connection"],
        session["principal"],
        session["exchanges"],
        session["frames"],
        session["denied"],
        session["errors"],
        session["redactions"],
    )


def frame_cells(frame: Frame) -> tuple[Any, ...]:
    """One row of `frames` and of `sessions show`."""
    return (
        moment(frame["recorded_at"]),
        frame["direction"],
        *act(frame),
        frame["status"] or "",
        outcome(frame),
        frame["body_bytes"],
        len(frame["redactions"]) or "",
        frame["exchange_id"],
    )


def replay_head(frame: Frame) -> str:
    """The line above a frame's body in a replay."""
    status = f"HTTP {frame['status']}" if frame["status"] else ""
    subject = " ".join(filter(None, act(frame)))
    words = (
        moment(frame["recorded_at"]),
        _ARROWS.get(frame["direction"], "?"),
        frame["attributes"].get("k8s.channel", ""),
        subject,
        status,
        outcome(frame),
    )
    return "  ".join(filter(None, words))


def facts(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Name and value of every field that says something."""
    return [(name, value) for name, value in row.items() if value not in ("", None)]


def moment(iso_time: str) -> str:
    """An ISO time in UTC, to the millisecond, as a person reads it."""
    day, _, clock = iso_time.rstrip("Z").partition("T")
    return f"{day} {clock[:12]}"
