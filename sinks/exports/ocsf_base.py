"""What every event of OCSF 1.5 has, whichever its class.

Source: the schema of OCSF 1.5.0, classes 6003, 2004 and 3002, profile security_control. Times are milliseconds.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from sinks.exports.events import Event, host_and_port, millis

VERSION = "1.5.0"
API_ACTIVITY, AUTHENTICATION, DETECTION_FINDING = 6003, 3002, 2004
UNKNOWN, OTHER = 0, 99
SUCCESS, FAILURE = {"status_id": 1, "status": "Success"}, {"status_id": 2, "status": "Failure"}
_SEVERITY_NAMES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
_CLASSES = {
    API_ACTIVITY: (6, "Application Activity", "API Activity"),
    AUTHENTICATION: (3, "Identity & Access Management", "Authentication"),
    DETECTION_FINDING: (2, "Findings", "Detection Finding"),
}


def head(
    event: Event, class_uid: int, activity_id: int, activity: str, severity_id: int = 1
) -> dict[str, Any]:
    """What every class has."""
    category_uid, category, name = _CLASSES[class_uid]
    return {
        "category_uid": category_uid,
        "category_name": category,
        "class_uid": class_uid,
        "class_name": name,
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": class_uid * 100 + activity_id,
        "type_name": f"{name}: {activity}",
        "severity_id": severity_id,
        "severity": _SEVERITY_NAMES[severity_id],
        "time": millis(event.at),
        "metadata": {
            "version": VERSION,
            "uid": event.id,
            "profiles": ["security_control"] if event.kind == "exchanges" else [],
            "product": {"name": "Sluicegate", "vendor_name": "Sluicegate", "version": version("sluicegate")},
        },
    }


def user(row: Mapping[str, Any]) -> dict[str, Any]:
    """The caller of an exchange."""
    who = row["principal"]
    if not who:
        return {"type_id": UNKNOWN, "type": "Unknown", "name": "unknown", "uid": "unknown"}
    return {"type_id": 1, "type": "User", "name": who, "uid": who, "domain": row["principal_issuer"]}


def actor(row: Mapping[str, Any]) -> dict[str, Any]:
    """Who did what is on topic `admin`."""
    return {
        "type_id": 1,
        "type": "User",
        "name": row["actor"],
        "uid": row["actor"],
        "domain": row["actor_issuer"],
    }


def endpoint(peer: str) -> dict[str, Any]:
    """Where a caller called from."""
    host, port = host_and_port(peer)
    return {"ip": host} | ({"port": port} if port is not None else {})
