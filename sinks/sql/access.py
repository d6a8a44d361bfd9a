"""Who may read what on a ClickHouse server: roles, limits, quotas and row policies, as statements to be run again.

Views run with the rights of who asks, so that policies on the tables beneath hold for every view, and for those to
come: a role has the views and the columns they rest on, and a team's role sees the rows of its connections alone,
whichever way it asks. The engine cuts rows where it reads them, before any condition of the one who asks.
"""

from collections.abc import Iterable, Mapping, Sequence

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from sinks.clickhouse import quoted
from sinks.literals import text_literal
from sinks.sql.configuration import MEMORY_MAX
from sinks.sql.teams import TeamScope
from sinks.sql.views import VIEWS

AUDITOR, WRITER, MIGRATOR = "sluicegate_auditor", "sluicegate_writer", "sluicegate_migrator"

# How a row tells its connection; tables that do not tell it are not for teams.
_OWN = "connection IN ({connections})"
_OF_APPROVAL = (
    "approval_id IN"
    " (SELECT approval_id FROM {database}.approvals_requested_stored WHERE connection IN ({connections}))"
)
SCOPED = {
    "approvals_decided_stored": _OF_APPROVAL,
    "approvals_requested_stored": _OWN,
    "approvals_settled_stored": _OF_APPROVAL,
    "exchanges_index": _OWN,
    "finding_acts_stored": "attributes['connection'] IN ({connections})",
    "findings_stored": "0",  # of an early version: they name no connection
    "frames_stored": _OWN,
    "redactions_index": _OWN,
    "sealed_stored": _OWN,
    "tombstones_stored": _OWN,
}
SHARED = frozenset({"trail_settings"})  # nothing of anybody
WHOLE = frozenset(
    {
        "admin_stored", "alerts_stored", "checkpoints_stored", "repeats_stored", "retention_acts_stored",
        "schema_migrations",
    }
)  # fmt: skip
UNREAD = frozenset({"sessions_index", "tombstones_applied"})  # no view rests on them
WHOLE_VIEWS = frozenset({"v_admin", "v_alerts", "v_checkpoints", "v_retention_acts", "v_trail_gaps"})
# With a salt and a commitment, words that were masked could be guessed and checked.
_KEPT = {"frames_stored": frozenset({"body_salt"})}

_SETTINGS = f"""readonly = 1,
    max_execution_time = 30 MIN 1 MAX 300 CHANGEABLE_IN_READONLY,
    max_memory_usage = {4 * MEMORY_MAX} READONLY,
    max_threads = 4 MIN 1 MAX 8 CHANGEABLE_IN_READONLY,
    max_result_rows = 1000000 READONLY,
    max_result_bytes = 1073741824 READONLY,
    result_overflow_mode = 'throw' READONLY,
    max_rows_to_group_by = 100000000 READONLY,
    max_bytes_before_external_group_by = 1073741824 READONLY,
    max_bytes_before_external_sort = 1073741824 READONLY"""


def statements(database: str, teams: Sequence[TeamScope], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """What brings a server to this; each may be run again. `columns` are those of the tables, by table."""
    readers = [AUDITOR, *(team.role for team in teams)]
    listed = ", ".join(map(quoted, readers))
    return [
        *(f"CREATE ROLE IF NOT EXISTS {quoted(role)}" for role in (*readers, WRITER, MIGRATOR)),
        f"CREATE SETTINGS PROFILE OR REPLACE {AUDITOR} SETTINGS\n    {_SETTINGS}\nTO {listed}",
        f"CREATE QUOTA OR REPLACE {AUDITOR} KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 2000, errors = 500,"
        f" execution_time = 3600 TO {listed}",
        *_policies(database, teams),
        *grants(database, AUDITOR, VIEWS, (*SCOPED, *SHARED, *WHOLE), columns),
        *(
            grant
            for team in teams
            for grant in grants(database, team.role, _team_views(), (*SCOPED, *SHARED), columns)
        ),
        f"GRANT SELECT, INSERT, ALTER DELETE, ALTER UPDATE, OPTIMIZE ON {quoted(database)}.* TO {WRITER}",
        f"GRANT SELECT, INSERT, CREATE TABLE, CREATE VIEW, DROP VIEW, ALTER ON {quoted(database)}.* TO {MIGRATOR}",
        f"GRANT CREATE DATABASE ON {quoted(database)}.* TO {MIGRATOR}",
    ]


def grants(
    database: str,
    role: str,
    views: Iterable[str],
    tables: Iterable[str],
    columns: Mapping[str, Sequence[str]],
) -> list[str]:
    """What `role` may read: views whole, tables but for what is kept."""
    of_views = [f"GRANT SELECT ON {quoted(database)}.{view} TO {quoted(role)}" for view in sorted(views)]
    of_tables = []
    for table in sorted(set(tables) & columns.keys()):
        named = ", ".join(quoted(one) for one in columns[table] if one not in _KEPT.get(table, ()))
        of_tables.append(f"GRANT SELECT({named}) ON {quoted(database)}.{table} TO {quoted(role)}")
    return of_views + of_tables


def row_condition(table: str, database: str, teams: Sequence[TeamScope]) -> str:
    """Which rows of `table` the teams of the one who asks may read: of several teams, those of each."""
    return " OR ".join(
        f"(has(enabledRoles(), {text_literal(team.role)}) AND {_condition(table, database, team)})"
        for team in teams
    )


def apply(client: Client, database: str, teams: Sequence[TeamScope]) -> None:
    """Runs the statements. Raises DatabaseError, of which code 497 says that this user may not."""
    for statement in statements(database, teams, table_columns(client, database)):
        client.command(statement)


def table_columns(client: Client, database: str) -> dict[str, list[str]]:
    """The columns of each table."""
    sql = "SELECT table, name FROM system.columns WHERE database = {db:String} ORDER BY table, position"
    found: dict[str, list[str]] = {}
    for table, name in client.query(sql, {"db": database}).result_rows:
        found.setdefault(table, []).append(name)
    return found


def may_not(exc: DatabaseError) -> bool:
    """Whether this user has no right to do it."""
    return exc.code == 497


def _policies(database: str, teams: Sequence[TeamScope]) -> list[str]:
    """Restrictive, so that no other policy opens what these close; without teams they go."""
    if not teams:
        return [
            f"DROP ROW POLICY IF EXISTS sluicegate_teams ON {quoted(database)}.{table}" for table in SCOPED
        ]
    listed = ", ".join(quoted(team.role) for team in teams)
    return [
        f"CREATE ROW POLICY OR REPLACE sluicegate_teams ON {quoted(database)}.{table}"
        f" USING {row_condition(table, database, teams)} AS RESTRICTIVE TO {listed}"
        for table in SCOPED
    ]


def _condition(table: str, database: str, team: TeamScope) -> str:
    named = ", ".join(map(text_literal, team.connections)) or "NULL"
    return SCOPED[table].format(connections=named, database=quoted(database))


def _team_views() -> list[str]:
    return [view for view in VIEWS if view not in WHOLE_VIEWS]
