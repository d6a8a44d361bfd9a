"""The SQL of exchanges and sessions: put together from frames, out of the sessions that these lie in.

`exchanges_index` tells where the frames of an exchange lie; the rows themselves never come from it.
"""

from typing import Any, NamedTuple

from sinks.clickhouse import quoted
from sinks.conditions import Query, time, where, within
from sinks.filters import Scope

# As in v_exchanges; a test holds the two together.
EXCHANGE_COLUMNS = """
exchange_id, argMax(s.session_id, opening_rank) AS session_id, min(recorded_at) AS started_at,
max(recorded_at) AS ended_at, any(s.connection) AS connection, any(s.protocol) AS protocol,
any(s.principal_subject) AS principal, any(s.principal_issuer) AS principal_issuer, any(s.client_id) AS client_id,
any(s.peer) AS peer, any(s.user_agent) AS user_agent,
argMin(s.mcp_protocol_version, opening_rank) AS mcp_protocol_version, max(s.mcp_session_id) AS mcp_session_id,
argMin(s.http_method, opening_rank) AS http_method, argMin(s.http_path, opening_rank) AS http_path,
argMin(s.jsonrpc_id, opening_rank) AS jsonrpc_id, argMin(s.method, opening_rank) AS method,
argMin(s.tool, opening_rank) AS tool, argMin(s.resource, opening_rank) AS resource,
if(countIf(s.verdict != 'none') = 0, 'none', argMaxIf(s.verdict, lane_seq, s.verdict != 'none')) AS verdict,
argMaxIf(s.rule, lane_seq, s.verdict != 'none') AS rule, argMaxIf(s.reason, lane_seq, s.reason != '') AS reason,
argMaxIf(s.reason_code, lane_seq, s.reason_code != '') AS reason_code,
if(countIf(s.outcome != 'pending') = 0, 'pending', argMaxIf(s.outcome, lane_seq, s.outcome != 'pending')) AS outcome,
argMaxIf(s.http_status, lane_seq, s.http_status != 0) AS http_status,
argMax(s.jsonrpc_error, lane_seq) AS jsonrpc_error, argMax(s.tool_is_error, lane_seq) AS tool_is_error,
(outcome NOT IN ('completed', 'pending') OR http_status >= 400 OR jsonrpc_error IS NOT NULL
OR ifNull(tool_is_error, false)) AND verdict NOT IN ('deny', 'hold') AS is_error,
max(elapsed_us) / 1000 AS latency_ms, minOrNullIf(elapsed_us, direction = 'response') / 1000 AS first_response_ms,
countIf(part = 1) AS frames, sumIf(body_bytes, direction = 'request' AND part = 1) AS request_bytes,
sumIf(body_bytes, direction = 'response' AND part = 1) AS response_bytes,
sum(length(s.redactions) + length(s.deep_redactions)) AS redactions, argMax(s.attributes, lane_seq) AS attributes,
attributes['parent.exchange_id'] AS parent_exchange_id"""

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

_OF_SESSIONS = """(session_id IN ({ids:Array(UUID)})
OR session_id IN ({beside:Array(UUID)}) AND exchange_id IN ({astray:Array(UUID)}))"""


# The weeks beside it are not looked into.
IN_TIME = f"recorded_at >= {time('first')} AND recorded_at <= {time('last')}"


class Lying(NamedTuple):
    """Where the frames of some sessions lie: `exchanges` of theirs have frames in the sessions `beside` too, and all
    were recorded between two ISO times."""

    exchanges: list[str]
    beside: list[str]
    first: str
    last: str


class ExchangeQueries:
    """Questions about exchanges to one database."""

    def __init__(self, database: str) -> None:
        self._in = quoted(database)

    def between(self, sessions: list[str]) -> Query:
        """One row: when the `first` frame of `sessions` was recorded, and the `last`."""
        text = f"""
SELECT min(first_at) AS first, max(last_at) AS last FROM {self._in}.sessions_index
WHERE session_id IN ({{ids:Array(UUID)}})"""
        return text, {"ids": sessions}

    def astray(self, sessions: list[str], first: str, last: str) -> Query:
        """Exchanges of `sessions` of which a frame may lie in another: those without their request or their end.

        Only there does the protocol's session id change within an exchange (an initialize request).
        """
        text = f"""
SELECT exchange_id FROM {self._in}.frames_stored WHERE session_id IN ({{ids:Array(UUID)}}) AND {IN_TIME}
GROUP BY exchange_id HAVING countIf(direction = 'request') = 0 OR countIf(outcome != 'pending') = 0"""
        return text, {"ids": sessions, "first": first, "last": last}

    def lie_in(self, exchanges: list[str]) -> Query:
        """The sessions that frames of `exchanges` lie in."""
        text = f"SELECT DISTINCT arrayJoin(sessions) AS session_id FROM {self._in}.exchanges_index WHERE {AT_IDS}"
        return text, {"ids": exchanges}

    def by_id(self, exchanges: list[str], lying: Lying, connections: Scope) -> Query:
        """Rows as v_exchanges has them, in order of time: of `exchanges`, whose frames are all in `lying`."""
        bound, values = within(connections)
        source = self._put_together(
            "session_id IN ({sessions:Array(UUID)}) AND exchange_id IN ({ids:Array(UUID)})"
        )
        text = f"SELECT * FROM ({source}) {where(bound)} ORDER BY started_at, exchange_id"
        times = {"first": lying.first, "last": lying.last}
        return text, {"ids": exchanges, "sessions": lying.beside, **times, **values}

    def of_session(self, session: str, lying: Lying, limit: int, after: str, connections: Scope) -> Query:
        """Rows as v_exchanges has them of one session, in order, from the one after `after` on."""
        bound, values = within(connections)
        conditions = ["session_id = {session:UUID}", *bound]
        source = self._put_together(_OF_SESSIONS)
        values |= {"session": session, **_of_sessions([session], lying)}
        if after:
            conditions.append(f"(started_at, exchange_id) > ({self._start_of_after})")
            values["after"] = after
        text = f"SELECT * FROM ({source}) {where(conditions)} ORDER BY started_at, exchange_id LIMIT {int(limit)}"
        return text, values

    @property
    def _start_of_after(self) -> str:
        at = "opened_at = toDateTime(UUIDv7ToDateTime({after:UUID}), 'UTC') AND exchange_id = {after:UUID}"
        return f"SELECT min(started_at), {{after:UUID}} FROM {self._in}.exchanges_index WHERE {at}"

    def sessions(self, sessions: list[str], lying: Lying, connections: Scope) -> Query:
        """Rows as v_sessions has them, the latest first; wherever frames of theirs lie."""
        bound, values = within(connections)
        having = f"HAVING {bound[0]}" if bound else ""
        text = f"""
SELECT {SESSION_COLUMNS} FROM ({self._put_together(_OF_SESSIONS)}) AS e
WHERE e.session_id IN ({{ids:Array(UUID)}}) GROUP BY e.session_id {having} ORDER BY last_at DESC, session_id"""
        return text, {**_of_sessions(sessions, lying), **values}

    def _put_together(self, condition: str) -> str:
        return f"""SELECT {EXCHANGE_COLUMNS} FROM
(SELECT *, elapsed_us + if(direction = 'request', 0, 4611686018427387904) AS opening_rank
FROM {self._in}.frames_stored FINAL WHERE {condition} AND {IN_TIME}) AS s
GROUP BY exchange_id"""


# The index is in the order of time, and an id tells its own.
AT_IDS = """(opened_at, exchange_id) IN
(SELECT toDateTime(UUIDv7ToDateTime(id), 'UTC'), id FROM (SELECT arrayJoin({ids:Array(UUID)}) AS id))"""


def _of_sessions(sessions: list[str], lying: Lying) -> dict[str, Any]:
    times = {"first": lying.first, "last": lying.last}
    return {"ids": sessions, "astray": lying.exchanges, "beside": lying.beside, **times}
