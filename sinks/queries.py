"""The SQL of the reader: text with `{name:Type}` parameters, never with a value inside."""

from sinks.clickhouse import quoted
from sinks.conditions import Query, given, time, where, within
from sinks.filters import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, Scope

FRAME_COLUMNS = (
    "frame_id, exchange_id, session_id, recorded_at, elapsed_us, lane, lane_seq, direction, protocol, connection,"
    " principal_subject AS principal, principal_issuer, peer, user_agent, http_method, http_path, content_type,"
    " mcp_protocol_version, mcp_session_id, jsonrpc_type, jsonrpc_id, method, tool, resource, sse_event_id, verdict,"
    " rule, reason, reason_code, outcome, http_status, jsonrpc_error, tool_is_error, redactions, deep_redactions,"
    " attributes,"
    " body_bytes, part, parts, body"
)
_ORDER = "recorded_at, lane, lane_seq"

DIGESTS = ("prev_digest", "digest", "audit_digest", "body_commitment")
DETAIL_COLUMNS = (
    "http_headers, principal_groups, client_id, policy_version, prev_digest, digest, audit_digest, body_commitment,"
    " frames_partition, frames_offset, k_partition, k_offset, schema_fingerprint, ingested_at"
)

_FRAME_CONDITIONS = {
    "since": f"recorded_at >= {time('since')}",
    "until": f"recorded_at < {time('until')}",
    "connection": "connection = {connection:String}",
    "principal": "principal_subject = {principal:String}",
    "direction": "direction = {direction:String}",
    "method": "method = {method:String}",
    "tool": "tool = {tool:String}",
    "verdict": "verdict = {verdict:String}",
    "outcome": "outcome = {outcome:String}",
    "verb": "attributes['k8s.verb'] = {verb:String}",
    "namespace": "attributes['k8s.objectRef.namespace'] = {namespace:String}",
    "resource": "(resource = {resource:String} OR attributes['k8s.objectRef.resource'] = {resource:String})",
    "text": "hasAllTokens(head, {text:String})",
}
_ADMIN_CONDITIONS = {
    "actor": "actor = {actor:String}",
    "action": "action = {action:String}",
    "target": "target = {target:String}",
    "since": f"at >= {time('since')}",
    "until": f"at < {time('until')}",
    "before": f"at < {time('before')}",
}
# An act has a target and no connection: a connection's name, that of a tool behind it, or something else.
_ADMIN_SCOPE = "splitByChar('|', target)[1] IN {connections:Array(String)}"

_FINDING_CONDITIONS = {
    "state": "state = {state:String}",
    "rule": "rule = {rule:String}",
    "severity": "severity = {severity:String}",
    "principal": "principal = {principal:String}",
    "connection": "connection = {connection:String}",
    "since": f"last_seen_at >= {time('since')}",
    "until": f"raised_at < {time('until')}",
    "session": "session_id = {session:String}",
    "before": f"raised_at < {time('before')}",
}
_APPROVAL_CONDITIONS = {
    "state": "state = {state:String}",
    "kind": "kind = {kind:String}",
    "principal": "principal = {principal:String}",
    "connection": "connection = {connection:String}",
    "since": f"requested_at >= {time('since')}",
    "until": f"requested_at < {time('until')}",
    "session": "session_id = {session:String}",
    "before": f"requested_at < {time('before')}",
}

# As in v_finding_rates; a test holds the two together.
_RATE_COLUMNS = """
count() AS findings, countIf(f.state = 'open') AS open, countIf(f.state = 'acknowledged') AS acknowledged,
countIf(f.verdict = 'true-positive') AS true_positives, countIf(f.verdict = 'false-positive') AS false_positives,
countIf(f.verdict = 'benign') AS benign,
if(countIf(f.state = 'closed') = 0, NULL, countIf(f.verdict = 'false-positive') / countIf(f.state = 'closed'))
AS false_positive_rate, max(f.raised_at) AS last_raised_at,
if(countIf(f.state = 'closed') = 0, NULL, quantileIf(0.5)(
dateDiff('second', f.raised_at, ifNull(f.closed_at, f.raised_at)) / 3600, f.state = 'closed'))
AS median_hours_to_close"""

_CAUSED = """(attributes['parent.exchange_id'] IN ({ids:Array(String)}) OR (attributes['parent.exchange_id'] = ''
AND protocol != 'mcp' AND attributes['trace.id'] IN ({traces:Array(String)})))"""


class Queries:
    """The reader's questions to one database."""

    def __init__(self, database: str) -> None:
        self._in = quoted(database)

    def astray(self, session_id: str) -> Query:
        """Exchanges of a session of which a frame may lie in another: those without their request or their end.

        Only there does the protocol's session id change within an exchange (an initialize request).
        """
        text = f"""
SELECT exchange_id FROM {self._in}.frames_stored WHERE session_id = {{session:UUID}}
GROUP BY exchange_id HAVING countIf(direction = 'request') = 0 OR countIf(outcome != 'pending') = 0"""
        return text, {"session": session_id}

    def frames(self, wanted: FrameFilter, astray: list[str], limit: int) -> Query:
        """First parts of frames, in order; `astray` are further exchanges of the session asked for."""
        conditions, values = given(wanted, _FRAME_CONDITIONS)
        conditions.append("part = 1")
        if wanted.exchange:
            conditions += ["exchange_id = {exchange:UUID}", self._in_its_sessions]
            values["exchange"] = wanted.exchange
        source = f"{self._in}.frames_stored FINAL"
        if wanted.session:
            source = self._session_rows(astray)
            values |= {"session": wanted.session, "astray": astray}
        order = _ORDER
        if wanted.newest:
            order = "recorded_at DESC, lane DESC, lane_seq DESC"
        text = f"SELECT {FRAME_COLUMNS} FROM {source} {where(conditions)} ORDER BY {order} LIMIT {int(limit)}"
        if wanted.newest:
            text = f"SELECT * FROM ({text}) ORDER BY {_ORDER}"
        return text, values

    @property
    def _in_its_sessions(self) -> str:
        """Narrows to the sorting key first: bodies are read only where the exchange lies."""
        found = f"SELECT session_id FROM {self._in}.frames_stored WHERE exchange_id = {{exchange:UUID}}"
        return f"session_id IN ({found})"

    def further_parts(self, frames: list[str], sessions: list[str]) -> Query:
        """The other parts of `frames`, which lie in `sessions`, in order."""
        text = (
            f"SELECT {FRAME_COLUMNS} FROM {self._in}.frames_stored FINAL WHERE part > 1"
            " AND session_id IN ({sessions:Array(UUID)}) AND frame_id IN ({frames:Array(UUID)})"
            " ORDER BY frame_id, part"
        )
        return text, {"frames": frames, "sessions": sessions}

    def _session_rows(self, astray: list[str]) -> str:
        own = f"SELECT *, head FROM {self._in}.frames_stored FINAL WHERE session_id = {{session:UUID}}"
        if not astray:
            return f"({own})"
        others = (
            f"SELECT *, head FROM {self._in}.frames_stored FINAL"
            " WHERE exchange_id IN ({astray:Array(UUID)}) AND session_id != {session:UUID}"
        )
        return f"({own} UNION ALL {others})"

    def frame(self, frame_id: str, connections: Scope) -> Query:
        """The first part of one frame, with its headers and digests."""
        bound, values = within(connections)
        conditions = ["frame_id = {frame:UUID}", "part = 1", *bound]
        text = (
            f"SELECT {FRAME_COLUMNS}, {DETAIL_COLUMNS} FROM {self._in}.frames_stored FINAL"
            f" {where(conditions)} LIMIT 1"
        )
        return text, {"frame": frame_id, **values}

    def admin(self, wanted: AdminFilter, limit: int) -> Query:
        """Rows of v_admin, the latest first."""
        conditions, values = given(wanted, _ADMIN_CONDITIONS, _ADMIN_SCOPE)
        return self._page("v_admin", conditions, "at", limit), values

    def findings(self, wanted: FindingFilter, limit: int) -> Query:
        """Rows of v_findings, the latest raised first."""
        conditions, values = given(wanted, _FINDING_CONDITIONS)
        return self._page("v_findings", conditions, "raised_at", limit), values

    def finding(self, finding_id: str, connections: Scope) -> Query:
        """One row of v_findings."""
        return self._one("v_findings", "finding_id", finding_id, connections)

    def finding_acts(self, finding_id: str) -> Query:
        """Rows of v_finding_acts, in order."""
        text = f"SELECT * FROM {self._in}.v_finding_acts WHERE finding_id = {{id:UUID}} ORDER BY at, k_offset"
        return text, {"id": finding_id}

    def finding_rates(self, connections: Scope) -> Query:
        """Rows as of v_finding_rates, the rule with the most findings first."""
        bound, values = within(connections)
        if not bound:
            return f"SELECT * FROM {self._in}.v_finding_rates ORDER BY findings DESC, rule", {}
        text = f"""
SELECT rule, {_RATE_COLUMNS} FROM {self._in}.v_findings AS f {where(bound)}
GROUP BY rule ORDER BY findings DESC, rule"""
        return text, values

    def approvals(self, wanted: ApprovalFilter, limit: int) -> Query:
        """Rows of v_approvals, the latest asked first."""
        conditions, values = given(wanted, _APPROVAL_CONDITIONS)
        return self._page("v_approvals", conditions, "requested_at", limit), values

    def approval(self, approval_id: str, connections: Scope) -> Query:
        """One row of v_approvals."""
        return self._one("v_approvals", "approval_id", approval_id, connections)

    def _page(self, view: str, conditions: list[str], moment: str, limit: int) -> str:
        """The latest rows, and with them all of the last one's moment: the next page begins before it."""
        return (
            f"SELECT * FROM {self._in}.{view} {where(conditions)}"
            f" ORDER BY {moment} DESC LIMIT {int(limit)} WITH TIES"
        )

    def _one(self, view: str, key: str, row_id: str, connections: Scope) -> Query:
        bound, values = within(connections)
        text = f"SELECT * FROM {self._in}.{view} {where([f'{key} = {{id:UUID}}', *bound])}"
        return text, {"id": row_id, **values}

    def exchange(self, exchange_id: str, connections: Scope) -> Query:
        """One row of v_exchanges."""
        return self._one("v_exchanges", "exchange_id", exchange_id, connections)

    def exchanges(self, ids: list[str], connections: Scope) -> Query:
        """Rows of v_exchanges, in order of time."""
        bound, values = within(connections)
        conditions = ["exchange_id IN ({ids:Array(UUID)})", *bound]
        text = f"SELECT * FROM {self._in}.v_exchanges {where(conditions)} ORDER BY started_at, exchange_id"
        return text, {"ids": ids, **values}

    def caused(self, ids: list[str], traces: list[str], since: str, until: str, limit: int) -> Query:
        """Ids of exchanges between two ISO times that say they were caused by one of `ids`, or that say nothing of it
        and are of one of `traces`."""
        text = f"""
SELECT DISTINCT exchange_id FROM {self._in}.frames_stored
WHERE recorded_at >= parseDateTime64BestEffort({{since:String}}, 6, 'UTC')
AND recorded_at <= parseDateTime64BestEffort({{until:String}}, 6, 'UTC')
AND direction = 'request' AND {_CAUSED} LIMIT {int(limit)}"""
        return text, {"ids": ids, "traces": traces, "since": since, "until": until}

    def calls_of_traces(self, traces: list[str], since: str, until: str, limit: int) -> Query:
        """Ids of MCP exchanges of some traces, between two ISO times."""
        text = f"""
SELECT DISTINCT exchange_id FROM {self._in}.frames_stored
WHERE recorded_at >= parseDateTime64BestEffort({{since:String}}, 6, 'UTC')
AND recorded_at <= parseDateTime64BestEffort({{until:String}}, 6, 'UTC')
AND direction = 'request' AND protocol = 'mcp' AND attributes['trace.id'] IN ({{traces:Array(String)}})
LIMIT {int(limit)}"""
        return text, {"traces": traces, "since": since, "until": until}
