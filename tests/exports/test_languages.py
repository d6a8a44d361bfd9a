"""OCSF, CEF and OpenTelemetry: what the trail says in each, read back by others' readers where there are any."""

from __future__ import annotations

import re
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from py_ocsf_models.events.base_event import BaseEvent
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from py_ocsf_models.objects.api import API
from py_ocsf_models.objects.resource_details import ResourceDetails

from sinks.exports.cef import cef, syslog
from sinks.exports.events import Event
from sinks.exports.ocsf import ocsf
from sinks.exports.otlp import otlp
from tests.exports.conftest import HOSTILE, Stretch

TRACE = "0af7651916cd43dd8448eb211c80319c"
AT = "2026-11-21T12:00:00.250000Z"
REQUIRED = {  # by the schema of OCSF 1.5: what each event of the class must have
    6003: {
        "activity_id",
        "actor",
        "api",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "src_endpoint",
        "time",
        "type_uid",
    },
    3002: {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid", "user"},
    2004: {
        "activity_id",
        "category_uid",
        "class_uid",
        "finding_info",
        "metadata",
        "severity_id",
        "time",
        "type_uid",
    },
}


def exchange(**over: Any) -> Event:
    """A delete in a cluster that was allowed."""
    row: dict[str, Any] = {
        "exchange_id": "e1", "session_id": "s1", "started_at": AT, "ended_at": AT, "connection": "prod",
        "protocol": "kubernetes", "principal": "alice", "principal_issuer": "https://id", "client_id": "kubectl",
        "peer": "[::1]:5000", "user_agent": "kubectl/1.36", "mcp_protocol_version": "", "mcp_session_id": "",
        "http_method": "DELETE", "http_path": "/k8s/prod/api/v1/namespaces/p/pods/web?x=1", "jsonrpc_id": "",
        "method": "", "tool": "", "resource": "", "verdict": "allow", "rule": "", "reason": "", "reason_code": "",
        "outcome": "completed", "http_status": 200, "jsonrpc_error": None, "tool_is_error": None, "is_error": False,
        "latency_ms": 12.5, "first_response_ms": 12.0, "frames": 2, "request_bytes": 10, "response_bytes": 20,
        "redactions": 1, "parent_exchange_id": "",
        "attributes": {"k8s.verb": "delete", "k8s.objectRef.resource": "pods", "k8s.objectRef.name": "web",
                       "k8s.objectRef.namespace": "p", "k8s.cluster.name": "eu", "trace.id": TRACE},
    }  # fmt: skip
    return Event("exchanges", AT, "e1", row | over)


def finding(**over: Any) -> Event:
    """Secrets that were read too often."""
    row: dict[str, Any] = {
        "finding_id": "f1", "rule": "secret-reads", "severity": "high", "raised_at": AT, "title": "14 secrets",
        "evidence": ["e1"], "state": "open", "verdict": "", "count": 3, "last_seen_at": AT, "principal": "alice",
        "principal_issuer": "", "connection": "prod", "session_id": "s1", "tool": "", "technique": "T1552.007",
        "attributes": {"window": "5m"}, "acknowledged_by": "", "closed_by": "", "closed_at": None, "comment": "",
    }  # fmt: skip
    return Event("findings", AT, "f1", row | over)


def act(action: str, outcome: str = "done") -> Event:
    """Something that an operator did."""
    row = {"admin_id": "a1", "at": AT, "actor_kind": "console", "actor": "bob", "actor_issuer": "https://id",
           "action": action, "target": "prod", "reason": "why", "outcome": outcome, "detail": "{}"}  # fmt: skip
    return Event("admin", AT, "a1", row)


DENIED = {"verdict": "deny", "outcome": "refused", "http_status": 403, "rule": "no-deletes", "reason": "ask"}
TOOL = {"protocol": "mcp", "method": "tools/call", "tool": "pods_list", "attributes": {}}
EVERY = [
    exchange(),
    exchange(**DENIED, reason_code="policy_denied"),
    exchange(http_status=401, outcome="refused", principal="", reason_code="token_expired", is_error=True),
    exchange(**TOOL, jsonrpc_error=-32000, is_error=True),
    finding(),
    finding(state="closed", comment="a test", severity="critical"),
    act("console.login"),
    act("token.refuse", "refused"),
    act("session.kill"),
]


@pytest.mark.parametrize("event", EVERY)
def test_every_event_has_what_its_class_of_ocsf_requires(event: Event) -> None:
    found = ocsf(event, "https://console.example.com")
    assert REQUIRED[found["class_uid"]] <= found.keys()
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    assert found["time"] == 1_795_262_400_250
    assert found["metadata"]["version"] == "1.5.0"
    if found["class_uid"] == 2004:
        DetectionFinding.model_validate(found)
    else:
        BaseEvent.model_validate({**found, "status_id": None})  # its own status is that of findings
        if "api" in found:
            API.model_validate(found["api"])
        user = found.get("user") or found["actor"]["user"]
        assert user["name"]
        for resource in found.get("resources", ()):
            ResourceDetails.model_validate(resource)


def test_who_did_what_to_what_stands_where_ocsf_wants_it() -> None:
    found = ocsf(EVERY[0])
    assert (found["class_uid"], found["activity_name"], found["api"]["operation"]) == (
        6003,
        "Delete",
        "delete pods",
    )
    assert found["resources"] == [
        {"type": "pods", "name": "web", "namespace": "p", "data": {"cluster": "eu"}}
    ]
    assert found["src_endpoint"] == {"ip": "::1", "port": 5000}
    assert found["actor"]["user"]["domain"] == "https://id"
    (attack,) = ocsf(EVERY[4])["finding_info"]["attacks"]
    assert attack["sub_technique"] == {"uid": "T1552.007", "name": "Container API"}
    denied = ocsf(EVERY[1])
    assert (denied["action"], denied["status"], denied["status_detail"]) == ("Denied", "Failure", "ask")
    assert denied["firewall_rule"]["name"] == "no-deletes"
    refused = ocsf(EVERY[2])
    assert (refused["class_uid"], refused["status_id"], refused["status_code"]) == (3002, 2, "token_expired")
    assert [ocsf(event)["class_uid"] for event in EVERY[6:]] == [3002, 3002, 6003]
    assert (
        ocsf(EVERY[4], "https://c.example.com/")["finding_info"]["src_url"]
        == "https://c.example.com/findings/f1"
    )


async def test_abuse_84_nothing_in_the_trail_ends_a_field_or_a_line_of_cef(stretch: Stretch) -> None:
    event = (await stretch.events())[0]
    line = cef(event)
    assert len(line.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f]", line)
    agent = re.search(r"requestClientApplication=((?:[^=\\]|\\.)*?)(?: \w+=|$)", line)
    assert agent is not None
    unescaped = agent[1].replace("\\n", "\n").replace("\\=", "=").replace("\\\\", "\\")
    assert unescaped == HOSTILE.replace("\r\n", "\n").replace("\x1b", " ")
    assert len(re.findall(r"(?<!\\)\|", line.partition(" ")[0])) == 7


def test_a_syslog_message_has_the_header_of_rfc_5424() -> None:
    said = syslog(finding(), "gate.example.com").decode()
    assert said.startswith(
        f"<106>1 {AT[:23]}Z gate.example.com sluicegate - findings - CEF:0|Sluicegate|Sluicegate|"
    )
    assert "|secret-reads|14 secrets|8|" in said


def test_opentelemetry_logs_carry_the_names_of_the_conventions() -> None:
    request = ExportLogsServiceRequest.FromString(otlp(EVERY, "gate"))
    (resource,) = request.resource_logs
    records = resource.scope_logs[0].log_records
    assert len(records) == len(EVERY)
    first = {pair.key: pair.value for pair in records[0].attributes}
    assert first["http.request.method"].string_value == "DELETE"
    assert first["http.response.status_code"].int_value == 200
    assert first["sluicegate.k8s.verb"].string_value == "delete"
    assert records[0].trace_id.hex() == TRACE
    assert records[0].time_unix_nano == 1_795_262_400_250_000_000
    assert [record.severity_text for record in records][:5] == ["INFO", "WARN", "WARN", "WARN", "ERROR"]
    assert [record.event_name for record in records][-1] == "sluicegate.admin"
