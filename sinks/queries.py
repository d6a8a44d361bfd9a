"""The SQL of the reader: text with `{name:Type}` parameters, never with a value inside."""

from typing import Any

from sinks.clickhouse import quoted
from sinks.readers import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, SessionFilter

FRAME_COLUMNS = (
    "frame_id, exchange_id, session_id, recorded_at, elapsed_us, lane, lane_seq, direction, protocol, connection,"
    " principal_subject AS principal, principal_issuer, peer, user_agent, http_method, http_path, content_type,"
    " mcp_protocol_version, mcp_session_id, jsonrpc_type, jsonrpc_id, method, tool, resource, sse_event_id, verdict,"
    " rule, reason, reason_code, outcome, http_status, jsonrpc_error, tool_is_error, redactions, deep_redactions,"
    " attributes,"
    " body_bytes, part, parts, body"
)
_ORDER = "recorded_at, lane, lane_seq"

# As in v_sessions; a test holds the two together.
_SESSION_COLUMNS = """
e.session_id AS session_id, min(e.started_at) AS started_at, max(e.ended_at) AS last_at,
any(e.connection) AS connection, any(e.protocol) AS protocol, any(e.principal) AS principal,
any(e.principal_issuer) AS principal_issuer, any(e.client_id) AS client_id,
argMin(e.user_agent, e.started_at) AS user_agent, max(e.mcp_protocol_version) AS mcp_protocol_version,
max(e.mcp_session_id) AS mcp_session_id, count() AS exchanges, sum(e.frames) AS frames,
countIf(e.outcome = 'pending') AS pending, countIf(e.verdict IN ('deny', 'hold')) AS denied,
countIf(e.is_error) AS errors, sum(e.redactions) AS redactions, sum(e.request_bytes) AS request_bytes,
sum(e.response_bytes) AS response_bytes"""

_FRAME_CONDITIONS = {
    "since": "recorded_at >= parseDateTime64BestEffort({since:String}, 6, 'UTC')",
    "until": "recorded_at < parseDateTime64BestEffort({until:String}, 6, 'UTC')",
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
_SESSION_CONDITIONS = {
    "principal": "principal_subject = {principal:String}",
    "connection": "connection = {connection:String}",
    "since": "recorded_at >= parseDateTime64BestEffort({since:String}, 6, 'UTC')",
}
_ADMIN_CONDITIONS = {
    "actor": "actor = {actor:String}",
    "action": "action = {action:String}",
    "target": "target = {target:String}",
    "since": "at >= parseDateTime64BestEffort({since:String}, 6, 'UTC')",
}
_FINDING_CONDITIONS = {
    "state": "state = {state:String}",
    "rule": "rule = {rule:String}",
    "severity": "severity = {severity:String}",
    "principal": "principal = {principal:String}",
    "connection": "connection = {connection:String}",
    "since": "last_seen_at >= parseDateTime64BestEffort({since:String}, 6, 'UTC')",
}
_APPROVAL_CONDITIONS = {
    "state": "state = {state:String}",
    "kind": "kind = {kind:String}",
    "principal": "principal = {principal:String}",
    "connection": "connection = {connection:String}",
    "since": "requested_at >= parseDateTime64BestEffort({since:String}, 6, 'UTC')",
}

_CAUSED = """(attributes['parent.exchange_id'] IN ({ids:Array(String)}) OR (attributes['parent.exchange_id'] = ''
AND protocol != 'mcp' AND attributes['trace.id'] IN ({traces:Array(String)})))"""

Filter = FrameFilter | SessionFilter | AdminFilter | FindingFilter | ApprovalFilter
Query = tuple[str, dict[str, Any]]


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
        conditions, values = _given(wanted, _FRAME_CONDITIONS)
        conditions.append("part = 1")
        if wanted.exchange:
            conditions += ["exchange_id = {exchange:UUID}", self._in_its_sessions]
            values["exchange"] = wanted.exchange
        source = f"{self._in}.frames_stored FINAL"
        if wanted.session:
            source = self._session_rows(astray)
            values |= {"session": wanted.session, "astray": astray}
        where = f"WHERE {' AND '.join(conditions)}"
        order = _ORDER
        if wanted.newest:
            order = "recorded_at DESC, lane DESC, lane_seq DESC"
        text = f"SELECT {FRAME_COLUMNS} FROM {source} {where} ORDER BY {order} LIMIT {int(limit)}"
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

    def admin(self, wanted: AdminFilter, limit: int) -> Query:
        """Rows of v_admin, the latest first."""
        return self._view("v_admin", wanted, _ADMIN_CONDITIONS, "at DESC, admin_id DESC", limit)

    def findings(self, wanted: FindingFilter, limit: int) -> Query:
        """Rows of v_findings, the latest raised first."""
        order = "raised_at DESC, finding_id DESC"
        return self._view("v_findings", wanted, _FINDING_CONDITIONS, order, limit)

    def finding(self, finding_id: str) -> Query:
        """One row of v_findings."""
        return f"SELECT * FROM {self._in}.v_findings WHERE finding_id = {{id:UUID}}", {"id": finding_id}

    def finding_acts(self, finding_id: str) -> Query:
        """Rows of v_finding_acts, in order."""
        text = f"SELECT * FROM {self._in}.v_finding_acts WHERE finding_id = {{id:UUID}} ORDER BY at, k_offset"
        return text, {"id": finding_id}

    def finding_rates(self) -> Query:
        """Rows of v_finding_rates, the rule with the most findings first."""
        return f"SELECT * FROM {self._in}.v_finding_rates ORDER BY findings DESC, rule", {}

    def approvals(self, wanted: ApprovalFilter, limit: int) -> Query:
        """Rows of v_approvals, the latest asked first."""
        order = "requested_at DESC, approval_id DESC"
        return self._view("v_approvals", wanted, _APPROVAL_CONDITIONS, order, limit)

    def _view(self, view: str, wanted: Filter, known: dict[str, str], order: str, limit: int) -> Query:
        conditions, values = _given(wanted, known)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT * FROM {self._in}.{view} {where} ORDER BY {order} LIMIT {int(limit)}", values

    def exchange(self, exchange_id: str) -> Query:
        """One row of v_exchanges."""
        return f"SELECT * FROM {self._in}.v_exchanges WHERE exchange_id = {{id:UUID}}", {"id": exchange_id}

    def exchanges(self, ids: list[str]) -> Query:
        """Rows of v_exchanges, in order of time."""
        text = (
            f"SELECT * FROM {self._in}.v_exchanges WHERE exchange_id IN ({{ids:Array(UUID)}})"
            " ORDER BY started_at, exchange_id"
        )
        return text, {"ids": ids}

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

    def latest_sessions(self, wanted: SessionFilter, limit: int) -> Query:
        """Ids of the sessions with the latest frames, newest first, provisional ones among them."""
        conditions, values = _given(wanted, _SESSION_CONDITIONS)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        text = (
            f"SELECT session_id FROM {self._in}.frames_stored {where}"
            f" GROUP BY session_id ORDER BY max(recorded_at) DESC LIMIT {int(limit)}"
        )
        return text, values

    def sessions(self, ids: list[str]) -> Query:
        """Rows as v_sessions has them, newest first, from the exchanges that have a frame in one of `ids`.

        The view itself cannot be narrowed before it has put every exchange together.
        """
        text = f"""
SELECT {_SESSION_COLUMNS} FROM {self._in}.v_exchanges AS e WHERE e.exchange_id IN
(SELECT exchange_id FROM {self._in}.frames_stored WHERE session_id IN ({{ids:Array(UUID)}}))
GROUP BY e.session_id HAVING session_id IN ({{ids:Array(UUID)}}) ORDER BY last_at DESC"""
        return text, {"ids": ids}


def _given(wanted: Filter, conditions: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
    values = {name: getattr(wanted, name) for name in conditions if getattr(wanted, name)}
    return [conditions[name] for name in values], values
