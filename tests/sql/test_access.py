"""Roles and row policies for a server, proven on the engine: its users file takes the same grants and conditions.

No server runs in these tests. chDB has one user, whom a file can give grants, roles, limits and row filters: what
decides there is the engine's own code. The statements themselves are read by the engine's parser.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

import pytest

from sinks.sql.access import (
    AUDITOR,
    SCOPED,
    SHARED,
    UNREAD,
    WHOLE,
    WHOLE_VIEWS,
    grants,
    row_condition,
    statements,
    table_columns,
)
from sinks.sql.installing import install
from sinks.sql.snapshot import take_snapshot
from sinks.sql.snapshot_paths import Snapshot
from sinks.sql.teams import TeamScope
from sinks.sql.views import VIEWS
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store

RED, BLUE = TeamScope("red", ("red's",)), TeamScope("blue", ("blue", "other"))
TEAMS = (RED, BLUE)
_ASKER = """
import sys, json, chdb
made = chdb.connect(sys.argv[1])
made.query("USE audit", "Null")
for line in sys.stdin:
    try:
        print(json.dumps(made.query(json.loads(line), "TSVRaw").bytes().decode()), flush=True)
    except Exception as exc:
        print(json.dumps(f"refused: {exc}"), flush=True)
"""


@pytest.fixture(scope="module")
def snapshot(filled: Store) -> Iterator[Snapshot]:
    """A store with rows of three connections, that an engine with other rights can open."""
    for number, connection in enumerate(("red's", "blue", "other")):
        trail = Trail(lane=f"team-{uuid4()}")
        trail.exchange(
            connection=connection, tool=f"tool-{connection}", session_id=str(UUID(int=0x7EA0 + number))
        )
        fill(filled.client, trail.values)
        given = {"id": str(UUID(int=0x7EA0 + number)), "connection": connection}
        filled.client.command(
            "INSERT INTO audit.approvals_requested_stored (approval_id, requested_at, connection)"
            " SELECT {id:UUID}, now64(6), {connection:String}",
            given,
        )
        filled.client.command(
            "INSERT INTO audit.approvals_settled_stored (approval_id, version, state, at)"
            " SELECT {id:UUID}, 1, 'denied', now64(6)",
            given,
        )
    folder = filled.address.path.with_suffix(".teams")
    made = take_snapshot(filled.client, filled.address.path, filled.address.database, folder)
    yield made
    made.remove()


def asked_as(store: Store, snapshot: Snapshot, roles: Sequence[str], *questions: str) -> list[str]:
    """The answers to `questions` for a user with `roles`."""
    columns = table_columns(store.client, "audit")
    held = []
    for role in (AUDITOR, *(team.role for team in TEAMS)):
        named = [view for view in VIEWS if role == AUDITOR or view not in WHOLE_VIEWS]
        tables = (*SCOPED, *SHARED, *(WHOLE if role == AUDITOR else ()))
        lines = [one.rpartition(" TO ")[0] for one in grants("audit", role, named, tables, columns)]
        held.append(f"<{role}><grants>{''.join(map(query, lines))}</grants></{role}>")
    scoped = AUDITOR not in roles
    filters = "".join(
        f"<{table}><filter>{escape(row_condition(table, 'audit', TEAMS))}</filter></{table}>"
        for table in SCOPED
    )
    user = (
        f"<password/><networks><ip>127.0.0.1</ip></networks><profile>analyst</profile>"
        f"<grants>{''.join(query(f'GRANT {role}') for role in roles)}</grants>"
        + (f"<databases><audit>{filters}</audit></databases>" if scoped else "")
    )
    users = snapshot.engine / "access.xml"
    users.write_text(
        "<clickhouse><profiles><default/><analyst><readonly>1</readonly></analyst></profiles>"
        f"<quotas><default/></quotas><roles>{''.join(held)}</roles><users><default>{user}</default></users></clickhouse>"
    )
    (snapshot.engine / "main.xml").write_text(
        f"<clickhouse><users_config>{users}</users_config></clickhouse>"
    )
    ran = subprocess.run(
        [sys.executable, "-c", _ASKER, f"file:{snapshot.engine}?config-file={snapshot.engine}/main.xml"],
        input="".join(json.dumps(one) + "\n" for one in questions),
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert len(ran.stdout.splitlines()) == len(questions), ran.stderr[-2000:]
    return [json.loads(line) for line in ran.stdout.splitlines()]


def query(statement: str) -> str:
    return f"<query>{escape(statement)}</query>"


CONNECTIONS = (
    "SELECT DISTINCT connection FROM v_frames ORDER BY 1",
    "SELECT DISTINCT connection FROM v_exchanges ORDER BY 1",
    "SELECT DISTINCT connection FROM v_sessions ORDER BY 1",
    "SELECT DISTINCT connection FROM v_tool_latency ORDER BY 1",
    "SELECT DISTINCT connection FROM v_first_tools ORDER BY 1",
    "SELECT DISTINCT connection FROM frames_stored ORDER BY 1",
    "SELECT DISTINCT connection FROM exchanges_index ORDER BY 1",
)


def test_a_team_sees_the_rows_of_its_connections_in_every_view(filled: Store, snapshot: Snapshot) -> None:
    answers = asked_as(
        filled, snapshot, [RED.role], *CONNECTIONS,
        "SELECT approval_id FROM v_approval_settlements",
        "SELECT count() FROM v_frames WHERE connection = 'blue' OR throwIf(connection = 'blue') = 1",
        "SELECT body_salt FROM frames_stored",
        "SELECT count() FROM v_admin",
        "SELECT count() FROM admin_stored",
        "INSERT INTO frames_stored (lane) VALUES ('x')",
        "SET readonly = 0",
        "SELECT currentRoles()",
    )  # fmt: skip
    assert answers[:7] == ["red's\n"] * 7
    assert answers[7] == f"{UUID(int=0x7EA0)}\n"
    assert answers[8] == "0\n"  # nothing of the others is touched, not even to fail on it
    assert all("Not enough privileges" in one for one in answers[9:12])
    assert all(one.startswith("refused") for one in answers[12:14])


def test_who_is_in_two_teams_sees_the_rows_of_both(filled: Store, snapshot: Snapshot) -> None:
    answers = asked_as(filled, snapshot, [RED.role, BLUE.role], *CONNECTIONS)
    assert answers == ["blue\nother\nred's\n"] * 7


def test_every_view_is_readable_for_whom_it_is_granted(filled: Store, snapshot: Snapshot) -> None:
    questions = [f"SELECT * FROM {view} LIMIT 1 FORMAT Null" for view in VIEWS]
    whole = asked_as(filled, snapshot, [AUDITOR], *questions)
    assert dict(zip(VIEWS, whole, strict=True)) == dict.fromkeys(VIEWS, "")
    team = dict(zip(VIEWS, asked_as(filled, snapshot, [BLUE.role], *questions), strict=True))
    assert {view for view, said in team.items() if "Not enough privileges" in said} == WHOLE_VIEWS
    assert {view for view, said in team.items() if said == ""} == VIEWS.keys() - WHOLE_VIEWS


def test_an_auditor_sees_all_connections(filled: Store, snapshot: Snapshot) -> None:
    (answer,) = asked_as(filled, snapshot, [AUDITOR], "SELECT count(DISTINCT connection) >= 4 FROM v_frames")
    assert answer == "1\n"


def test_every_statement_is_one_that_the_engine_can_read(filled: Store) -> None:
    hostile = TeamScope("o'brien`; DROP", ("it's \\ a `trap`", "x'); DROP TABLE frames_stored --"))
    for teams in ((), TEAMS, (hostile,)):
        written = statements("audit", teams, table_columns(filled.client, "audit"))
        read = [
            filled.client.query("SELECT formatQuery({s:String})", {"s": one}).result_rows[0][0]
            for one in written
        ]
        assert all(
            "DROP TABLE" not in one.replace("'x\\'); DROP TABLE frames_stored --'", "") for one in read
        )
        assert len(read) == len(written)


def test_every_table_is_either_scoped_shared_or_for_auditors_alone(filled: Store) -> None:
    sql = "SELECT name FROM system.tables WHERE database = 'audit' AND engine LIKE '%MergeTree'"
    there = {name for (name,) in filled.client.query(sql).result_rows}
    assert there == SCOPED.keys() | SHARED | WHOLE | UNREAD


def test_a_profile_leaves_only_the_time_and_threads_to_who_asks(filled: Store) -> None:
    (profile,) = [one for one in statements("audit", TEAMS, {}) if one.startswith("CREATE SETTINGS PROFILE")]
    changeable = [line.split()[0] for line in profile.splitlines() if "CHANGEABLE_IN_READONLY" in line]
    assert changeable == ["max_execution_time", "max_threads"]
    assert "readonly = 1" in profile


def test_no_teams_means_no_policies_and_a_team_without_connections_sees_nothing(filled: Store) -> None:
    assert [one for one in statements("audit", (), {}) if "CREATE ROW POLICY" in one] == []
    assert "connection IN (NULL)" in row_condition("frames_stored", "audit", [TeamScope("empty", ())])


def test_where_the_user_may_not_make_roles_the_store_opens_all_the_same(filled: Store) -> None:
    """The embedded engine's user may not: it stands for a server's user without these rights."""
    install(filled.client, "audit", "https://audit.example/", TEAMS, server=True)
    found = filled.client.query("SELECT name, value FROM audit.trail_settings FINAL").result_rows
    install(filled.client, "audit", "", TEAMS, server=False)
    assert found == [("public_url", "https://audit.example")]
    assert filled.client.query("SELECT value FROM audit.trail_settings FINAL").result_rows == [("",)]
