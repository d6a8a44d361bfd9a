"""The SQL of the list of sessions: which there are, how many, when; and the exact rows of those on a page."""

from typing import Any

from sinks.clickhouse import quoted
from sinks.conditions import Query, given, time, where, within
from sinks.filters import Scope, SessionFilter

COUNTED_MAX = 10_000
"""How many sessions are counted exactly."""

TEXT_FRAMES_MAX = 20_000
"""How many frames that hold a text are looked at, the newest: enough for every page that somebody turns to."""

# As in v_sessions; a test holds the two together.
SESSION_COLUMNS = """
e.session_id AS session_id, min(e.started_at) AS started_at, max(e.ended_at) AS last_at,
any(e.connection) AS connection, any(e.protocol) AS protocol, any(e.principal) AS principal,
any(e.principal_issuer) AS principal_issuer, any(e.client_id) AS client_id,
argMin(e.user_agent, e.started_at) AS user_agent, max(e.mcp_protocol_version) AS mcp_protocol_version,
max(e.mcp_session_id) AS mcp_session_id, count() AS exchanges, sum(e.frames) AS frames,
countIf(e.outcome = 'pending') AS pending, countIf(e.verdict IN ('deny', 'hold')) AS denied,
countIf(e.is_error) AS errors, sum(e.redactions) AS redactions, sum(e.request_bytes) AS request_bytes,
sum(e.response_bytes) AS response_bytes"""

# What has to hold in one exchange of the session.
_MATCHES = {
    "since": f"ended_at >= {time('since')}",
    "until": f"started_at < {time('until')}",
    "principal": "principal = {principal:String}",
    "connection": "connection = {connection:String}",
    "tool": "tool = {tool:String}",
    "verb": "verb = {verb:String}",
    "resource": "(resource = {resource:String} OR kubernetes_resource = {resource:String})",
    "namespace": "namespace = {namespace:String}",
    "verdict": "verdict = {verdict:String}",
    "outcome": "outcome = {outcome:String}",
    "redacted": "redacted = {redacted:Bool}",
}


class SessionQueries:
    """Questions about sessions to one database."""

    def __init__(self, database: str) -> None:
        self._in = quoted(database)

    def page(self, wanted: SessionFilter, limit: int) -> Query:
        """(session_id, last_at) of the sessions found, latest first, and all of the last one's moment."""
        conditions, values = self._matching(wanted)
        having = [f"countIf({' AND '.join(conditions) or 'true'}) > 0"]
        if wanted.before:
            having.append(f"last_at < {time('before')}")
            values["before"] = wanted.before
        text = f"""
SELECT session_id, max(ended_at) AS last_at FROM {self._exchanges}
GROUP BY session_id HAVING {" AND ".join(having)} ORDER BY last_at DESC LIMIT {int(limit)} WITH TIES"""
        return text, values

    def rows(self, ids: list[str], connections: Scope) -> Query:
        """Rows as v_sessions has them, newest first."""
        bound, values = within(connections)
        having = f"HAVING {bound[0]}" if bound else ""
        text = f"""
SELECT {SESSION_COLUMNS} FROM {self._in}.v_exchanges AS e WHERE e.session_id IN ({{ids:Array(UUID)}})
GROUP BY e.session_id {having} ORDER BY last_at DESC, session_id"""
        return text, {"ids": ids, **values}

    def exchanges(self, session_id: str, limit: int, after: str, connections: Scope) -> Query:
        """Rows of v_exchanges of one session in order, from the one after `after` on."""
        bound, values = within(connections)
        conditions = ["session_id = {session:UUID}", *bound]
        values |= {"session": session_id}
        if after:
            conditions.append(
                "(started_at, exchange_id) > (SELECT started_at, exchange_id"
                f" FROM {self._in}.v_exchanges WHERE exchange_id = {{after:UUID}})"
            )
            values["after"] = after
        text = f"""
SELECT * FROM {self._in}.v_exchanges {where(conditions)} ORDER BY started_at, exchange_id LIMIT {int(limit)}"""
        return text, values

    def total(self, wanted: SessionFilter) -> Query:
        """`total`: how many sessions are found, counted up to one more than COUNTED_MAX."""
        conditions, values = self._matching(wanted)
        text = f"""
SELECT count() AS total FROM
(SELECT DISTINCT session_id FROM {self._exchanges} {where(conditions)} LIMIT {COUNTED_MAX + 1})"""
        return text, values

    def histogram(self, wanted: SessionFilter, seconds: int) -> Query:
        """By number of the bucket, of so many seconds from `since` on: what began between `since` and `until`."""
        conditions, values = self._matching(wanted)
        conditions.append(f"started_at >= {time('since')}")
        text = f"""
SELECT intDiv(dateDiff('microsecond', {time("since")}, started_at), {int(seconds)} * 1000000) AS bucket,
uniqExact(session_id) AS sessions, count() AS exchanges, countIf(verdict IN ('deny', 'hold')) AS denied,
countIf(is_error) AS errors FROM {self._exchanges} {where(conditions)} GROUP BY bucket ORDER BY bucket"""
        return text, values

    def _matching(self, wanted: SessionFilter) -> tuple[list[str], dict[str, Any]]:
        """(conditions, values) of one exchange."""
        conditions, values = given(wanted, _MATCHES)
        if wanted.group:
            conditions.append(
                f"exchange_id IN (SELECT exchange_id FROM {self._in}.frames_stored"
                " WHERE has(principal_groups, {group:String}))"
            )
            values["group"] = wanted.group
        if wanted.finding:
            conditions.append(f"toString(session_id) IN (SELECT session_id FROM {self._in}.v_findings)")
        if wanted.text:
            conditions.append(f"exchange_id IN ({self._with_text(wanted)})")
            values["text"] = wanted.text
        return conditions, values

    def _with_text(self, wanted: SessionFilter) -> str:
        conditions = ["hasAllTokens(head, {text:String})"]
        if wanted.since:
            conditions.append(f"recorded_at >= {time('since')}")
        if wanted.before:
            conditions.append(f"recorded_at < {time('before')}")
        return (
            f"SELECT exchange_id FROM {self._in}.frames_stored {where(conditions)}"
            f" ORDER BY recorded_at DESC LIMIT {TEXT_FRAMES_MAX}"
        )

    @property
    def _exchanges(self) -> str:
        return f"""(SELECT exchange_id, session_id, started_at, ended_at, connection, principal, tool, resource,
attributes['k8s.verb'] AS verb, attributes['k8s.objectRef.namespace'] AS namespace,
attributes['k8s.objectRef.resource'] AS kubernetes_resource, verdict, outcome, is_error, redactions > 0 AS redacted
FROM {self._in}.v_exchanges)"""
