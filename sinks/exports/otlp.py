"""The trail as OpenTelemetry logs: the body of an OTLP request over HTTP, in protobuf.

Names of attributes are those of the semantic conventions for GenAI, MCP, HTTP and Kubernetes where they have one.
Source: opentelemetry-proto, logs/v1.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from sinks.exports.events import Event, asked, host_and_port, millis

_SEVERITIES = {"info": 9, "low": 9, "medium": 13, "high": 17, "critical": 21}
_OF_EXCHANGE = (
    "exchange_id session_id connection protocol principal_issuer client_id resource verdict rule reason outcome"
    " tool_is_error latency_ms frames request_bytes response_bytes redactions parent_exchange_id"
)
_OF_FINDING = "finding_id rule severity state verdict count principal connection session_id"
_OF_ACT = "admin_id actor_kind actor_issuer action target reason outcome detail"
_NAMES = {9: "INFO", 13: "WARN", 17: "ERROR", 21: "FATAL"}


def otlp(events: Sequence[Event], service_name: str = "sluicegate") -> bytes:
    """One ExportLogsServiceRequest."""
    logs = ScopeLogs(
        scope=InstrumentationScope(name="sluicegate", version=version("sluicegate")),
        log_records=[_record(event) for event in events],
    )
    resource = Resource(attributes=_pairs({"service.name": service_name}))
    request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[logs])])
    return bytes(request.SerializeToString())


def _record(event: Event) -> LogRecord:
    row = event.row
    severity = _severity(event)
    text = (
        row["title"] if event.kind == "findings" else row["action"] if event.kind == "admin" else asked(row)
    )
    nanos = millis(event.at) * 1_000_000
    trace = row["attributes"].get("trace.id", "") if event.kind == "exchanges" else ""
    return LogRecord(
        time_unix_nano=nanos,
        observed_time_unix_nano=nanos,
        severity_number=SeverityNumber.ValueType(severity),
        severity_text=_NAMES[severity],
        event_name=f"sluicegate.{event.kind}",
        body=AnyValue(string_value=text),
        attributes=_pairs(_attributes(event)),
        trace_id=bytes.fromhex(trace) if len(trace) == 32 else b"",
    )


def _severity(event: Event) -> int:
    row = event.row
    if event.kind == "findings":
        return _SEVERITIES.get(row["severity"], 9)
    if event.kind == "admin":
        return 9 if row["outcome"] in ("done", "asked") else 13
    return 13 if row["is_error"] or row["outcome"] == "refused" else 9


def _attributes(event: Event) -> dict[str, Any]:
    row = event.row
    if event.kind == "findings":
        return _ours(row, _OF_FINDING) | {"sluicegate.evidence": list(row["evidence"])}
    if event.kind == "admin":
        return _ours(row, _OF_ACT) | {"user.id": row["actor"]}
    return _of_exchange(row) | {f"sluicegate.{key}": value for key, value in row["attributes"].items()}


def _ours(row: Mapping[str, Any], names: str) -> dict[str, Any]:
    return {f"sluicegate.{name}": row[name] for name in names.split()}


def _of_exchange(row: Mapping[str, Any]) -> dict[str, Any]:
    host, port = host_and_port(row["peer"])
    path, _, query = row["http_path"].partition("?")
    named = {
        "user.id": row["principal"],
        "client.address": host,
        "client.port": port,
        "http.request.method": row["http_method"],
        "http.response.status_code": row["http_status"],
        "url.path": path,
        "url.query": query,
        "user_agent.original": row["user_agent"],
        "mcp.method.name": row["method"],
        "mcp.session.id": row["mcp_session_id"],
        "mcp.protocol.version": row["mcp_protocol_version"],
        "gen_ai.tool.name": row["tool"],
        "jsonrpc.request.id": row["jsonrpc_id"],
        "rpc.jsonrpc.error_code": row["jsonrpc_error"],
        "error.type": row["reason_code"],
    }
    return named | _ours(row, _OF_EXCHANGE)


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=_value(value)) for key, value in attributes.items() if value not in ("", None)
    ]


def _value(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            found = AnyValue()
            found.array_value.values.extend(_value(each) for each in value)
            return found
        case _:
            return AnyValue(string_value=str(value))
