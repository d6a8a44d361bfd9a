"""How sessions and frames look to a person: which columns, which words. Rows in, text cells out; no I/O."""

import re
from collections.abc import Mapping
from typing import Any

from sinks.readers import Exchange, Frame, Session

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

_OBJECT = ("apiGroup", "resource", "subresource", "namespace", "name")
_OWN_PREFIX = re.compile(r"^/k8s/[^/]+")
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


def act(row: Frame | Exchange) -> tuple[str, str]:
    """(what is done, to what): method and tool of MCP, verb and object of Kubernetes, method and path of HTTP."""
    facts = row["attributes"]
    if row["protocol"] == "kubernetes":
        return facts.get("k8s.verb", "") or row["http_method"].lower(), kubernetes_object(row)
    if row["protocol"] == "http":
        return row["http_method"], facts.get("http.operation", "") or row["http_path"].partition("?")[0]
    return row["method"], row["tool"] or row["resource"]


def kubernetes_object(row: Frame | Exchange) -> str:
    """As `v_kubernetes` has it: `apps/deployments/scale prod/web`, `pods prod/*`, or a path."""
    facts = {name: row["attributes"].get(f"k8s.objectRef.{name}", "") for name in _OBJECT}
    if not facts["resource"]:
        return _OWN_PREFIX.sub("", row["http_path"].partition("?")[0])
    what = "/".join(filter(None, (facts["apiGroup"], facts["resource"], facts["subresource"])))
    namespace = facts["namespace"] if facts["resource"] != "namespaces" else ""
    return f"{what} " + "/".join(filter(None, (namespace, facts["name"] or "*")))


def outcome(frame: Frame) -> str:
    """How it stands with the exchange after this frame, in words: the terminal outcome, errors, the reason."""
    words = [] if frame["outcome"] == "pending" else [frame["outcome"]]
    if frame["jsonrpc_error"] is not None:
        words.append(f"error {frame['jsonrpc_error']}")
    if frame["tool_is_error"]:
        words.append("tool error")
    if frame["reason_code"]:
        words.append(frame["reason_code"])
    return ", ".join(words)


def facts(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Name and value of every field that says something."""
    return [(name, value) for name, value in row.items() if value not in ("", None)]


def moment(iso_time: str) -> str:
    """An ISO time in UTC, to the millisecond, as a person reads it."""
    day, _, clock = iso_time.rstrip("Z").partition("T")
    return f"{day} {clock[:12]}"
