"""An exchange as API Activity of OCSF: who asked for what, on which object, and what came of it."""

from collections.abc import Mapping
from typing import Any

from sinks.exports.events import Event, millis, refused
from sinks.exports.ocsf_base import API_ACTIVITY, FAILURE, OTHER, SUCCESS, endpoint, head, user

_CREATE, _READ, _UPDATE, _DELETE = 1, 2, 3, 4

_VERBS = {
    "create": _CREATE,
    "get": _READ,
    "list": _READ,
    "watch": _READ,
    "update": _UPDATE,
    "patch": _UPDATE,
    "delete": _DELETE,
    "deletecollection": _DELETE,
}
_HTTP = {"GET": _READ, "HEAD": _READ, "PUT": _UPDATE, "PATCH": _UPDATE, "DELETE": _DELETE, "POST": _CREATE}
_READING = ("list", "read", "get")  # MCP methods that end so change nothing
_ACTIVITY_NAMES = {0: "Unknown", 1: "Create", 2: "Read", 3: "Update", 4: "Delete", OTHER: "Other"}
_ACTIONS = {
    "allow": (1, "Allowed", 1, "Allowed"),
    "deny": (2, "Denied", 2, "Blocked"),
    "hold": (2, "Denied", 2, "Blocked"),
}


def call(event: Event) -> dict[str, Any]:
    """One exchange."""
    row = event.row
    activity = _activity(row)
    held = refused(row)
    failed = held or row["is_error"]
    action_id, action, disposition_id, disposition = _ACTIONS["deny" if held else "allow"]
    given = head(event, API_ACTIVITY, activity, _ACTIVITY_NAMES[activity], 2 if held else 1)
    given |= FAILURE if failed else SUCCESS
    given |= {
        "start_time": millis(row["started_at"]),
        "end_time": millis(row["ended_at"]),
        "duration": round(row["latency_ms"]),
        "status_code": str(row["http_status"]),
        "actor": {
            "user": user(row),
            "session": {"uid": row["session_id"]},
            "app_name": row["client_id"] or row["user_agent"],
        },
        "api": _api(event),
        "src_endpoint": endpoint(row["peer"]),
        "http_request": {
            "http_method": row["http_method"],
            "user_agent": row["user_agent"],
            "url": {
                "path": row["http_path"].partition("?")[0],
                "query_string": row["http_path"].partition("?")[2],
            },
        },
        "http_response": {"code": row["http_status"]},
        "resources": _resources(row),
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "unmapped": _unmapped(row),
    }
    if row["reason"]:
        given["status_detail"] = row["reason"]
    if row["rule"]:
        given["firewall_rule"] = {"name": row["rule"], "desc": row["reason"]}
    return given


def _activity(row: Mapping[str, Any]) -> int:
    verb = row["attributes"].get("k8s.verb", "")
    if verb:
        return _VERBS.get(verb, OTHER)
    if row["protocol"] != "mcp":
        return _HTTP.get(row["http_method"], OTHER)
    method = row["method"].rpartition("/")[2]
    return _READ if method in _READING else OTHER


def _api(event: Event) -> dict[str, Any]:
    row, attributes = event.row, event.row["attributes"]
    operation = row["tool"] or attributes.get("http.operation") or _kubernetes(attributes) or row["method"]
    revision = row["mcp_protocol_version"] or attributes.get("k8s.objectRef.apiVersion", "")
    api: dict[str, Any] = {
        "operation": operation or f"{row['http_method']} {row['http_path'].partition('?')[0]}",
        "service": {
            "name": row["connection"],
            "uid": row["connection"],
            "version": revision,
            "labels": [row["protocol"]],
        },
        "request": {"uid": event.id},
        "response": {
            "code": row["jsonrpc_error"] if row["jsonrpc_error"] is not None else row["http_status"]
        },
    }
    if row["is_error"] or row["reason_code"]:
        api["response"] |= {"error": row["reason_code"] or row["outcome"], "error_message": row["reason"]}
    return api | ({"version": revision} if revision else {})


def _kubernetes(attributes: Mapping[str, str]) -> str:
    verb, resource = attributes.get("k8s.verb", ""), attributes.get("k8s.objectRef.resource", "")
    below = attributes.get("k8s.objectRef.subresource", "")
    return " ".join(part for part in (verb, f"{resource}/{below}" if below else resource) if part)


def _resources(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    attributes = row["attributes"]
    if attributes.get("k8s.objectRef.resource"):
        found = {
            "type": attributes["k8s.objectRef.resource"],
            "name": attributes.get("k8s.objectRef.name", ""),
            "namespace": attributes.get("k8s.objectRef.namespace", ""),
            "group": {"name": attributes.get("k8s.objectRef.apiGroup", "")},
            "cluster": attributes.get("k8s.cluster.name", ""),
        }
        found = {name: value for name, value in found.items() if value and value != {"name": ""}}
        if "cluster" in found:
            found["data"] = {"cluster": found.pop("cluster")}
        return [found]
    if row["resource"]:
        return [{"name": row["resource"], "type": row["method"].partition("/")[0]}]
    return [{"name": row["tool"], "type": "tool"}] if row["tool"] else []


def _unmapped(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema has no place for."""
    return {
        "verdict": row["verdict"],
        "outcome": row["outcome"],
        "reason_code": row["reason_code"],
        "tool_is_error": row["tool_is_error"],
        "redactions": row["redactions"],
        "frames": row["frames"],
        "request_bytes": row["request_bytes"],
        "response_bytes": row["response_bytes"],
        "parent_exchange_id": row["parent_exchange_id"],
        "attributes": dict(row["attributes"]),
    }
