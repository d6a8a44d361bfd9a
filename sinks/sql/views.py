"""The views in a line each, and how they are narrowed: by which time, and by whom."""

from typing import Final

_BOTH: Final = ("connection", "principal")

VIEWS: Final = {
    "v_admin": "Acts of operators, and of the gateway on its own account",
    "v_alerts": "Attempts to tell somebody of findings",
    "v_approval_decisions": "What somebody said on an approval, and whether it counted",
    "v_approval_settlements": "All that was ever settled of approvals",
    "v_approvals": "Approvals: who asked for what, who decided, how long it took, what ran by it",
    "v_bytes_out": "Bytes fetched by day and caller, against the 14 days before",
    "v_checkpoints": "Signed tree heads over the trail, and the places outside that have them",
    "v_denied_calls": "What policy denied, by day, caller, call and rule",
    "v_exchange_tree": "Exchanges that another one caused",
    "v_exchanges": "Exchanges: one request and its answers, with latency and the three outcomes",
    "v_finding_acts": "Acts of findings: raised, repeated, acknowledged, closed, reopened",
    "v_finding_rates": "Rules, and how many of their findings were nothing",
    "v_findings": "Findings, and what became of them",
    "v_first_tools": "When each caller first called each tool",
    "v_frames": "Frames: one protocol unit in one direction, with bodies",
    "v_granted_unused": "Tools offered and never called, approvals granted and never used",
    "v_kubernetes": "Requests to Kubernetes API servers: verb, object, caller, outcome",
    "v_redactions": "What was masked, by day, connection and rule",
    "v_retention": "What is kept of each connection, since when, and what was forgotten",
    "v_retention_acts": "What people said on how long the trail is kept",
    "v_sealed": "Pieces of sealed originals, until they expire",
    "v_sensitive_requests": "Secret reads, deletes, ways into containers, acting as somebody else",
    "v_sessions": "Sessions: one principal's conversation over one connection",
    "v_tombstones": "Runs of frames that are forgotten: expired by the rules, or erased",
    "v_tool_latency": "Calls, failures and latency by 5 minutes, connection and call",
    "v_trail_gaps": "Partitions and lanes of which something lacks",
}

# The time that a view is narrowed by ('' for none), and which of connection and principal it has.
TIMES: Final = {
    "v_admin": ("at", ()),
    "v_alerts": ("at", ()),
    "v_approval_decisions": ("at", ()),
    "v_approval_settlements": ("at", ()),
    "v_approvals": ("requested_at", _BOTH),
    "v_bytes_out": ("day", ("principal",)),
    "v_checkpoints": ("at", ()),
    "v_denied_calls": ("day", _BOTH),
    "v_exchange_tree": ("started_at", _BOTH),
    "v_exchanges": ("started_at", _BOTH),
    "v_finding_acts": ("at", ()),
    "v_finding_rates": ("last_raised_at", ()),
    "v_findings": ("raised_at", _BOTH),
    "v_first_tools": ("first_at", _BOTH),
    "v_frames": ("recorded_at", _BOTH),
    "v_granted_unused": ("granted_at", _BOTH),
    "v_kubernetes": ("started_at", _BOTH),
    "v_redactions": ("day", ("connection",)),
    "v_retention": ("", ("connection",)),
    "v_retention_acts": ("at", ()),
    "v_sealed": ("recorded_at", ("connection",)),
    "v_sensitive_requests": ("started_at", _BOTH),
    "v_sessions": ("last_at", _BOTH),
    "v_tombstones": ("at", ("connection",)),
    "v_tool_latency": ("bucket", ("connection",)),
    "v_trail_gaps": ("", ()),
}
