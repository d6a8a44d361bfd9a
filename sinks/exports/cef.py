"""The trail in CEF (Common Event Format, version 0) within syslog (RFC 5424), for collectors that speak those.

A text of the trail can end neither a field nor a line: what has a meaning in CEF is escaped, other control characters
become blanks.
"""

import re
import socket
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from sinks.exports.events import Event, asked, host_and_port, millis, refused
from sinks.spans import moment

_FACILITY = 13  # log audit (RFC 5424, 6.2.1)
_TEXT_MAX = 1_023  # the limit of the longest standard keys
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SEVERITIES = {"info": 2, "low": 3, "medium": 5, "high": 8, "critical": 10}


def cef(event: Event) -> str:
    """One event, without a line end."""
    kind, name, severity, fields = _of(event)
    head = "|".join(_head(part) for part in ("Sluicegate", "Sluicegate", version("sluicegate"), kind, name))
    shown = {"externalId": event.id, "rt": str(millis(event.at)), **fields}
    return f"CEF:0|{head}|{severity}|" + " ".join(
        f"{key}={_field(value)}" for key, value in shown.items() if value not in ("", None)
    )


def syslog(event: Event, host: str = "") -> bytes:
    """One message of RFC 5424 with the event in CEF as its text; no framing."""
    _, _, severity, _ = _of(event)
    level = 6 if severity < 5 else 4 if severity < 8 else 2
    at = moment(event.at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name = re.sub(r"[^!-~]", "", host or socket.gethostname())[:255] or "-"
    return (
        f"<{_FACILITY * 8 + level}>1 {at} {name} sluicegate - {event.kind} - ".encode() + cef(event).encode()
    )


def _of(event: Event) -> tuple[str, str, int, dict[str, Any]]:
    """What an event is, its name, how severe it is (0 to 10), its fields."""
    row = event.row
    if event.kind == "findings":
        fields = {
            "cs1Label": "rule",
            "cs1": row["rule"],
            "cs2Label": "state",
            "cs2": row["state"],
            "cs3Label": "session",
            "cs3": row["session_id"],
            "suser": row["principal"],
            "cnt": row["count"],
            "msg": row["title"],
            "deviceFacility": row["connection"],
        }
        return row["rule"], row["title"], _SEVERITIES.get(row["severity"], 2), fields
    if event.kind == "admin":
        fields = {
            "suser": row["actor"],
            "outcome": row["outcome"],
            "reason": row["reason"],
            "duser": row["target"],
        }
        return row["action"], row["action"], 3, fields
    return _exchange(row)


def _exchange(row: Mapping[str, Any]) -> tuple[str, str, int, dict[str, Any]]:
    attributes = row["attributes"]
    host, port = host_and_port(row["peer"])
    fields = {
        "src": host,
        "spt": port,
        "suser": row["principal"],
        "act": row["verdict"],
        "outcome": row["outcome"],
        "reason": row["reason"] or row["reason_code"],
        "requestMethod": row["http_method"],
        "request": row["http_path"],
        "requestClientApplication": row["user_agent"],
        "deviceFacility": row["connection"],
        "in": row["request_bytes"],
        "out": row["response_bytes"],
        "start": millis(row["started_at"]),
        "end": millis(row["ended_at"]),
        "cs1Label": "rule",
        "cs1": row["rule"],
        "cs2Label": "object",
        "cs2": attributes.get("k8s.objectRef.name", "") or row["resource"],
        "cs3Label": "session",
        "cs3": row["session_id"],
        "cn1Label": "redactions",
        "cn1": row["redactions"],
        "cn2Label": "status",
        "cn2": row["http_status"],
    }
    kind = row["method"] or attributes.get("k8s.verb", "") or "http"
    return kind, asked(row), 6 if refused(row) else 4 if row["is_error"] else 2, fields


def _head(text: str) -> str:
    return _CONTROLS.sub(" ", text).replace("\\", "\\\\").replace("|", "\\|")[:_TEXT_MAX]


def _field(value: Any) -> str:
    text = str(value)[:_TEXT_MAX].replace("\r\n", "\n").replace("\r", "\n")
    escaped = text.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n")
    return _CONTROLS.sub(" ", escaped)
