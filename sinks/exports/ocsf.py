"""The trail in OCSF 1.5: an exchange is API Activity, a finding a Detection Finding, a login Authentication.

A request that was refused for want of a valid token is a failed Authentication; an act of an operator, which is
neither call nor login nor finding, is API Activity on Sluicegate itself.
"""

from importlib.metadata import version
from typing import Any

from sinks.exports.events import Event, millis
from sinks.exports.ocsf_base import (
    API_ACTIVITY,
    AUTHENTICATION,
    DETECTION_FINDING,
    FAILURE,
    OTHER,
    SUCCESS,
    actor,
    endpoint,
    head,
    user,
)
from sinks.exports.ocsf_calls import call

_LOGINS = {"console.login": 1, "token.issue": 3, "token.refuse": 3, "console.logout": 2, "token.revoke": 2}
_LOGIN_NAMES = {1: "Logon", 2: "Logoff", 3: "Authentication Ticket"}
_SEVERITIES = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
# Names of the techniques of MITRE ATT&CK that shipped rules name; one of an own rule goes by its number.
_TECHNIQUES = {
    "T1078": "Valid Accounts",
    "T1195": "Supply Chain Compromise",
    "T1526": "Cloud Service Discovery",
    "T1528": "Steal Application Access Token",
    "T1530": "Data from Cloud Storage",
    "T1550": "Use Alternate Authentication Material",
    "T1552": "Unsecured Credentials",
    "T1552.007": "Container API",
    "T1595": "Active Scanning",
    "T1613": "Container and Resource Discovery",
    "T1621": "Multi-Factor Authentication Request Generation",
}
_STATES = {
    "open": (1, "New", 1, "Create"),
    "acknowledged": (2, "In Progress", 2, "Update"),
    "closed": (4, "Resolved", 3, "Close"),
}


def ocsf(event: Event, public_url: str = "") -> dict[str, Any]:
    """One event of the schema. `public_url`: of the console, for links; '' for none."""
    if event.kind == "findings":
        return _finding(event, public_url)
    if event.kind == "admin":
        return _login(event) if event.row["action"] in _LOGINS else _act(event)
    return _refused_login(event) if event.row["http_status"] == 401 else call(event)


def _refused_login(event: Event) -> dict[str, Any]:
    row = event.row
    return head(event, AUTHENTICATION, 1, "Logon", 2) | {
        "user": user(row),
        "service": {"name": row["connection"]},
        "src_endpoint": endpoint(row["peer"]),
        "is_remote": True,
        **FAILURE,
        "status_code": row["reason_code"],
        "status_detail": row["reason"],
        "http_request": {"http_method": row["http_method"], "user_agent": row["user_agent"]},
    }


def _login(event: Event) -> dict[str, Any]:
    row = event.row
    activity, good = (
        _LOGINS[row["action"]],
        row["outcome"] in ("done", "asked") and row["action"] != "token.refuse",
    )
    return head(event, AUTHENTICATION, activity, _LOGIN_NAMES[activity], 1 if good else 2) | {
        "user": actor(row),
        "service": {"name": row["target"] or row["actor_kind"]},
        "is_remote": row["actor_kind"] != "cli",
        **(SUCCESS if good else FAILURE),
        "status_detail": row["reason"],
        "unmapped": {"action": row["action"], "outcome": row["outcome"], "detail": row["detail"]},
    }


def _act(event: Event) -> dict[str, Any]:
    row = event.row
    good = row["outcome"] in ("done", "asked")
    return head(event, API_ACTIVITY, OTHER, "Other", 1 if good else 2) | {
        "actor": {"user": actor(row), "app_name": row["actor_kind"]},
        "api": {
            "operation": row["action"],
            "service": {"name": "sluicegate", "uid": "sluicegate", "version": version("sluicegate")},
            "request": {"uid": event.id},
        },
        "src_endpoint": {"name": row["actor_kind"]},
        "resources": [{"name": row["target"], "type": row["action"].partition(".")[0]}],
        **(SUCCESS if good else FAILURE),
        "status_detail": row["reason"],
        "unmapped": {"outcome": row["outcome"], "detail": row["detail"]},
    }


def _finding(event: Event, public_url: str) -> dict[str, Any]:
    row = event.row
    status_id, status, activity_id, activity = _STATES[row["state"]]
    info: dict[str, Any] = {
        "uid": event.id,
        "title": row["title"],
        "types": [row["rule"]],
        "analytic": {"name": row["rule"], "uid": row["rule"], "type_id": 1, "type": "Rule"},
        "created_time": millis(row["raised_at"]),
        "first_seen_time": millis(row["raised_at"]),
        "last_seen_time": millis(row["last_seen_at"]),
        "related_events": [{"uid": each, "type_uid": API_ACTIVITY * 100} for each in row["evidence"]],
    }
    if public_url:
        info["src_url"] = public_url.rstrip("/") + event.link
    if row["technique"]:
        info["attacks"] = [_attack(row["technique"])]
    given = head(event, DETECTION_FINDING, activity_id, activity, _SEVERITIES.get(row["severity"], 1))
    given |= {
        "finding_info": info,
        "count": row["count"],
        "status_id": status_id,
        "status": status,
        "resources": [{"name": row["connection"], "type": "connection"}] if row["connection"] else [],
        "evidences": [
            {"data": {"principal": row["principal"], "session": row["session_id"], "tool": row["tool"]}}
        ],
        "unmapped": dict(row["attributes"]),
    }
    return given | ({"comment": row["comment"]} if row["comment"] else {})


def _attack(technique: str) -> dict[str, Any]:
    above, dot, _ = technique.partition(".")
    found = {"technique": {"uid": above, "name": _TECHNIQUES.get(above, above)}}
    if dot:
        found["sub_technique"] = {"uid": technique, "name": _TECHNIQUES.get(technique, technique)}
    return found
