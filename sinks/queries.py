"""The SQL of the reader: text with `{name:Type}` parameters, never with a value inside."""

from sinks.clickhouse import quoted
from sinks.conditions import Query, given, time, where, within
from sinks.exchange_queries import IN_TIME, Lying
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
_KEY = "session_id, recorded_at, lane, lane_seq"
_OF_SESSION = """(session_id = {session:UUID}
OR session_id IN ({beside:Array(UUID)}) AND exchange_id IN ({astray:Array(UUID)}))"""

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


class Queries:
    """The reader's questions to one database."""

    def __init__(self, database: str) -> None:
        self._in = quoted(database)

    def frames(self, wanted: FrameFilter, lying: Lying, limit: int) -> Query:
        """First parts of frames, in order; `lying` tells where those of the session asked for are. Copies of a
        frame are left out here: FINAL would read every body to do so."""
        conditions, values = given(wanted, _FRAME_CONDITIONS)
        conditions.append("part = 1")
        if wanted.exchange:
            conditions += ["exchange_id = {exchange:UUID}", f"session_id IN ({self._its_sessions})"]
            values["exchange"] = wanted.exchange
        if wanted.session:
            conditions += [_OF_SESSION if lying.exchanges else "session_id = {session:UUID}", IN_TIME]
            values |= {"session": wanted.session, "astray": lying.exchanges, "beside": lying.beside}
            values |= {"first": lying.first, "last": lying.last}
        if not wanted.session and not wanted.exchange:
            conditions += self._in_sessions_with(wanted)
            conditions = [f"({_KEY}) IN ({self._keys(conditions, newest=wanted.newest, limit=limit)})"]
        columns = f"{FRAME_COLUMNS}, http_headers" if wanted.headers else FRAME_COLUMNS
        text = self._ordered(columns, conditions, newest=wanted.newest, limit=limit)
        if wanted.newest:
            text = f"SELECT * FROM ({text}) ORDER BY {_ORDER}"
        return text, values

    def _in_sessions_with(self, wanted: FrameFilter) -> list[str]:
        """Narrows to sessions with such a Kubernetes request: its facts are in a map, slow to look through."""
        known = {"verb": "verb = {verb:String}", "namespace": "namespace = {namespace:String}"}
        facts = [condition for name, condition in known.items() if getattr(wanted, name)]
        found = f"SELECT arrayJoin(sessions) FROM {self._in}.exchanges_index {where(facts)}"
        return [f"session_id IN ({found})"] if facts else []

    def _keys(self, conditions: list[str], *, newest: bool, limit: int) -> str:
        """Where the frames are: found without their bodies, which are read for those alone that are given."""
        return self._ordered(_KEY, conditions, newest=newest, limit=limit)

    def _ordered(self, columns: str, conditions: list[str], *, newest: bool, limit: int) -> str:
        order = "recorded_at DESC, lane DESC, lane_seq DESC" if newest else _ORDER
        return (
            f"SELECT {columns} FROM {self._in}.frames_stored {where(conditions)}"
            f" ORDER BY {order}, k_offset LIMIT 1 BY recorded_at, lane, lane_seq LIMIT {int(limit)}"
        )

    @property
    def _its_sessions(self) -> str:
        """Narrows to the sorting key first: bodies are read only where the exchange lies."""
        at = "opened_at = toDateTime(UUIDv7ToDateTime({exchange:UUID}), 'UTC') AND exchange_id = {exchange:UUID}"
        return f"SELECT arrayJoin(sessions) FROM {self._in}.exchanges_index WHERE {at}"

    def further_parts(self, frames: list[str], sessions: list[str]) -> Query:
        """The other parts of `frames`, which lie in `sessions`, in order."""
        text = (
            f"SELECT {FRAME_COLUMNS} FROM {self._in}.frames_stored FINAL WHERE part > 1"
            " AND session_id IN ({sessions:Array(UUID)}) AND frame_id IN ({frames:Array(UUID)})"
            " ORDER BY frame_id, part"
        )
        return text, {"frames": frames, "sessions": sessions}

    def frame(self, frame_id: str, connections: Scope) -> Query:
        """The first part of one frame, with its headers and digests. The id tells the week it lies in."""
        bound, values = within(connections)
        made = "UUIDv7ToDateTime({frame:UUID})"
        week = (
            f"({made} = toDateTime(0) OR recorded_at >= {made} - INTERVAL 1 DAY"
            f" AND recorded_at <= {made} + INTERVAL 7 DAY)"
        )
        conditions = ["frame_id = {frame:UUID}", "part = 1", week, *bound]
        text = self._ordered(f"{FRAME_COLUMNS}, {DETAIL_COLUMNS}", conditions, newest=False, limit=1)
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

    def caused(self, ids: list[str], traces: list[str], since: str, until: str, limit: int) -> Query:
        """Ids of exchanges that began between two ISO times and say they were caused by one of `ids`, or say nothing
        of it and are of one of `traces`."""
        caused = """(parent_exchange_id IN ({ids:Array(String)})
OR (parent_exchange_id = '' AND protocol != 'mcp' AND trace_id IN ({traces:Array(String)})))"""
        text = f"{self._began_between} AND {caused} LIMIT {int(limit)}"
        return text, {"ids": ids, "traces": traces, "since": since, "until": until}

    def calls_of_traces(self, traces: list[str], since: str, until: str, limit: int) -> Query:
        """Ids of MCP exchanges of some traces that began between two ISO times."""
        called = "protocol = 'mcp' AND trace_id IN ({traces:Array(String)})"
        text = f"{self._began_between} AND {called} LIMIT {int(limit)}"
        return text, {"traces": traces, "since": since, "until": until}

    @property
    def _began_between(self) -> str:
        return (
            f"SELECT DISTINCT exchange_id FROM {self._in}.exchanges_index"
            f" WHERE started_at >= {time('since')} AND started_at <= {time('until')}"
        )
