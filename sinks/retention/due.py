"""Which rows are due, as SQL conditions on `frames_stored`. Pure; texts stand in it as hex, so nothing is quoted."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.retention_content import Hold
from schemas.retention_rules import DAY_US, Rules

NEVER = "toDateTime64('2100-01-01 00:00:00', 3, 'UTC')"
"""`retain_until` of a row that no stored tombstone names."""

# A frame from the future is as old as its row; one that came late is as old as it is.
_AGE = "least(toUnixTimestamp64Micro(recorded_at), toUnixTimestamp64Milli(ingested_at) * 1000)"


@dataclass(frozen=True, slots=True)
class Ground:
    """What may go at `now` (UTC in microseconds): by which rules, and what is held."""

    rules: Rules
    holds: tuple[Hold, ...]
    now: int


def rows_due(ground: Ground, table: str) -> str:
    """Rows whose time is over, that nobody holds and that no tombstone names yet."""
    cutoffs = {name: _cutoff(ground.rules.of(name).days, ground.now) for name in ground.rules.connections}
    default = _cutoff(ground.rules.of("").days, ground.now)
    return f"retain_until = {NEVER} AND {_older(cutoffs, default)} AND NOT {held(ground.holds, table)}"


def bodies_due(ground: Ground, table: str) -> str:
    """Rows that stay and whose body's time is over."""
    rules = ground.rules
    cutoffs = {name: _cutoff(rules.of(name).of_bodies, ground.now) for name in rules.connections}
    older = _older(cutoffs, _cutoff(rules.of("").of_bodies, ground.now))
    free = f"body != '' AND {older} AND NOT {held(ground.holds, table)}"
    return f"{free} AND retain_until = {NEVER} AND NOT ({rows_due(ground, table)})"


def held(holds: Iterable[Hold], table: str) -> str:
    """Rows that one of `holds` covers; `table` is where the exchanges of a session are looked up."""
    return "(" + (" OR ".join(_held(hold, table) for hold in holds) or "0") + ")"


def of_session(session_id: str, table: str) -> str:
    """Rows of a session: also the request that began it, which was recorded before it had its id."""
    own = f"session_id = toUUID({text(session_id)})"
    return f"({own} OR exchange_id IN (SELECT exchange_id FROM {table} WHERE {own}))"


def of_people(people: Iterable[tuple[str, str]]) -> str:
    """Rows of callers, each by (issuer, subject)."""
    each = [
        f"(principal_issuer = {text(issuer)} AND principal_subject = {text(subject)})"
        for issuer, subject in people
    ]
    return "(" + (" OR ".join(each) or "0") + ")"


def in_runs(runs: Iterable[tuple[int, int, int]]) -> str:
    """Rows at these places: (partition, first offset, last offset) of topic `audit`, inclusive."""
    listed = ", ".join(f"({partition}, {first}, {last + 1})" for partition, first, last in runs)
    spans = f"SELECT arrayJoin(CAST([{listed}] AS Array(Tuple(Int32, Int64, Int64)))) AS run"
    return f"(k_partition, k_offset) IN (SELECT run.1, arrayJoin(range(run.2, run.3)) FROM ({spans}))"


def text(value: str) -> str:
    """`value` as an SQL expression."""
    return f"unhex('{value.encode('utf-8', 'replace').hex()}')"


def _held(hold: Hold, table: str) -> str:
    parts = []
    if hold.connection:
        parts.append(f"connection = {text(hold.connection)}")
    if hold.session_id:
        parts.append(of_session(hold.session_id, table))
    if hold.subject:
        parts.append(f"principal_subject = {text(hold.subject)}")
    if hold.issuer:
        parts.append(f"principal_issuer = {text(hold.issuer)}")
    moment = "toUnixTimestamp64Micro(recorded_at)"
    if hold.since is not None:
        parts.append(f"{moment} >= {hold.since}")
    if hold.until is not None:
        parts.append(f"{moment} < {hold.until}")
    return "(" + (" AND ".join(parts) or "1") + ")"


def _older(cutoffs: dict[str, int], default: int) -> str:
    if not cutoffs:
        return f"({_AGE} < {default})"
    names = ", ".join(text(name) for name in cutoffs)
    times = ", ".join(str(cutoff) for cutoff in cutoffs.values())
    chosen = f"transform(toString(connection), [{names}], [{times}]::Array(Int64), {default}::Int64)"
    return f"({_AGE} < {chosen})"


def _cutoff(days: int | None, now: int) -> int:
    """What was recorded before it is due; nothing was recorded before the epoch."""
    return 0 if days is None else now - days * DAY_US
