"""The SQL of the list of sessions: which there are, how many, when. It looks into `exchanges_index` alone."""

from dataclasses import fields
from typing import Any

from sinks.clickhouse import quoted
from sinks.conditions import Query, given, time, where
from sinks.filters import SessionFilter

COUNTED_MAX = 10_000
"""How many sessions are counted exactly."""

TEXT_FRAMES_MAX = 20_000
"""How many frames that hold a text are looked at, the newest: enough for every page that somebody turns to."""

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
    "redacted": "redacted = 1",
    "group": "has(groups, {group:String})",
}
# The same in every exchange of a session: whoever asks for nothing else finds sessions by any of them.
_OF_SESSION = frozenset({"principal", "connection", "connections", "since"})


class SessionQueries:
    """Questions about sessions to one database."""

    def __init__(self, database: str) -> None:
        self._in = quoted(database)

    def page(self, wanted: SessionFilter, floor: str, limit: int) -> Query:
        """(session_id, last_at) of the sessions found that were active since `floor`, an ISO time: the latest first,
        and all of the last one's moment."""
        conditions, values = self._matching(wanted)
        if not is_plain(wanted):
            conditions = [f"session_id IN (SELECT session_id FROM {self._exchanges} {where(conditions)})"]
        conditions.append(f"ended_at >= {time('floor')}")
        having = ""
        if wanted.before:
            having = f"HAVING last_at < {time('before')}"
            values["before"] = wanted.before
        text = f"""
SELECT session_id, max(ended_at) AS last_at FROM {self._exchanges} {where(conditions)}
GROUP BY session_id {having} ORDER BY last_at DESC LIMIT {int(limit)} WITH TIES"""
        return text, {**values, "floor": floor}

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
        if wanted.finding:
            conditions.append(
                f"session_id IN (SELECT toUUIDOrZero(session_id) FROM {self._in}.v_findings WHERE session_id != '')"
            )
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
        return f"{self._in}.exchanges_index FINAL"


def is_plain(wanted: SessionFilter) -> bool:
    """Whether `wanted` asks for what is the same in every exchange of a session."""
    names = {field.name for field in fields(wanted) if getattr(wanted, field.name)}
    return names <= _OF_SESSION | {"before"}
