"""The fields of a frame that an exchange sets, with what stands in them when there is nothing to say."""

from collections.abc import Mapping
from types import MappingProxyType

BLANK: Mapping[str, object] = MappingProxyType(
    {
        "exchange_id": "00000000-0000-0000-0000-000000000000",
        "session_id": "00000000-0000-0000-0000-000000000000",
        "protocol": "mcp",
        "connection": "",
        "principal_issuer": "",
        "principal_subject": "",
        "principal_groups": (),
        "client_id": "",
        "peer": "",
        "user_agent": "",
        "http_method": "",
        "http_path": "",
        "http_status": 0,
        "http_headers": "",
        "content_type": "",
        "mcp_protocol_version": "",
        "mcp_session_id": "",
        "jsonrpc_type": "none",
        "jsonrpc_id": "",
        "method": "",
        "tool": "",
        "resource": "",
        "sse_event_id": "",
        "verdict": "none",
        "rule": "",
        "policy_version": "",
        "reason": "",
        "reason_code": "",
        "jsonrpc_error": None,
        "tool_is_error": None,
        "outcome": "pending",
        "attributes": MappingProxyType({}),
    }
)
