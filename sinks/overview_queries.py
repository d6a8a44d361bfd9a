"""The SQL of the overview: what happened between two times, in numbers; and what filters can be set to."""

from typing import Any

from sinks.clickhouse import quoted
from sinks.conditions import Query, time, where, within
from sinks.filters import Scope

TOP = 10
OPTIONS_DAYS = 30
OPTIONS_MAX = 500

_QUANTILES = "quantilesIf(0.5, 0.95, 0.99)(latency_ms, outcome != 'pending') AS latencies"
_DENIED = "verdict IN ('deny', 'hold')"


class OverviewQueries:
    """Questions about a span of time to one database."""

    def __init__(self, database: str) -> None:
        self._in = quoted(database)

    def totals(self, since: str, until: str, connections: Scope) -> Query:
        """One row of sums."""
        conditions, values = _span(since, until, connections)
        text = f"""
SELECT count() AS calls, uniqExact(session_id) AS sessions, uniqExact(principal_issuer, principal) AS principals,
countIf({_DENIED}) AS denied, countIf(verdict = 'hold') AS held, countIf(is_error) AS errors,
countIf(outcome = 'pending') AS pending, {_QUANTILES} FROM {self._exchanges} {where(conditions)}"""
        return text, values

    def series(self, since: str, until: str, seconds: int, connections: Scope) -> Query:
        """Sums by number of the bucket, of so many seconds from `since` on."""
        conditions, values = _span(since, until, connections)
        text = f"""
SELECT intDiv(dateDiff('microsecond', {time("since")}, started_at), {int(seconds)} * 1000000) AS bucket,
count() AS calls, countIf(NOT {_DENIED}) AS allowed, countIf(verdict = 'deny') AS denied,
countIf(verdict = 'hold') AS held, countIf(is_error) AS errors, {_QUANTILES}
FROM {self._exchanges} {where(conditions)} GROUP BY bucket ORDER BY bucket"""
        return text, values

    def top(self, what: str, since: str, until: str, connections: Scope) -> Query:
        """The rows with the most calls: `what` is principals, tools or denied_tools."""
        conditions, values = _span(since, until, connections)
        name, connection, order = "principal", "''", "calls"
        if what != "principals":
            name, connection = "tool", "connection"
            conditions.append("tool != ''")
        if what == "denied_tools":
            conditions.append(_DENIED)
            order = "denied"
        text = f"""
SELECT {name} AS name, {connection} AS of, count() AS calls, countIf({_DENIED}) AS denied,
countIf(is_error) AS errors FROM {self._exchanges} {where(conditions)}
GROUP BY name, of ORDER BY {order} DESC, name, of LIMIT {TOP}"""
        return text, values

    def redactions(self, since: str, until: str, connections: Scope) -> Query:
        """Secrets by rule, the most first."""
        bound, values = within(connections)
        conditions = [f"recorded_at >= {time('since')}", f"recorded_at < {time('until')}", *bound]
        text = f"""
SELECT rule, sum(redactions_index.redactions) AS redactions FROM {self._in}.redactions_index FINAL
{where(conditions)} GROUP BY rule ORDER BY redactions DESC, rule"""
        return text, {"since": since, "until": until, **values}

    def options(self, connections: Scope) -> Query:
        """One row: what there was of each in the last days."""
        bound, values = within(connections)
        conditions = [f"ended_at >= now() - INTERVAL {OPTIONS_DAYS} DAY", *bound]
        found = ", ".join(f"{what} AS {name}" for name, what in _OPTIONS.items())
        return f"SELECT {found} FROM {self._in}.exchanges_index {where(conditions)}", values

    @property
    def _exchanges(self) -> str:
        return f"{self._in}.exchanges_index FINAL"


# Aliases that are no columns: the conditions mean the columns.
_OPTIONS = {
    "connections": f"groupUniqArray({OPTIONS_MAX})(connection)",
    "principals": f"groupUniqArray({OPTIONS_MAX})(principal)",
    "all_groups": f"groupUniqArrayArray({OPTIONS_MAX})(groups)",
    "tools": f"groupUniqArray({OPTIONS_MAX})(tool)",
    "verbs": f"groupUniqArray({OPTIONS_MAX})(verb)",
    "namespaces": f"groupUniqArray({OPTIONS_MAX})(namespace)",
}


def _span(since: str, until: str, connections: Scope) -> tuple[list[str], dict[str, Any]]:
    """(conditions, values) of exchanges that began between two times."""
    bound, values = within(connections)
    conditions = [f"started_at >= {time('since')}", f"started_at < {time('until')}", *bound]
    return conditions, {"since": since, "until": until, **values}
