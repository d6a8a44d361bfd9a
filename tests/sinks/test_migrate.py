"""Bringing a store to the schema of this version."""

from dataclasses import replace

import pytest
from clickhouse_connect.driver.client import Client

from sinks.migrate import Migration, MigrationError, migrate, migrations
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store


def names(client: Client, database: str) -> set[str]:
    rows = client.query(
        "SELECT name FROM system.tables WHERE database = {d:String}", {"d": database}
    ).result_rows
    return {row[0] for row in rows}


def test_migrations_are_numbered_without_gaps_and_every_one_has_statements() -> None:
    known = migrations()

    assert [step.number for step in known] == list(range(1, len(known) + 1))
    assert all(step.statements("d") for step in known)


def test_a_second_run_applies_nothing_and_keeps_what_is_stored(store: Store) -> None:
    assert migrate(store.client, "twice") == [step.number for step in migrations()]
    fill(store.client, [Trail(lane="twice").frame()], database="twice")

    assert migrate(store.client, "twice") == []
    assert store.client.query("SELECT count() FROM twice.v_frames").result_rows == [(1,)]
    assert {
        "frames_stored",
        "findings_stored",
        "v_frames",
        "v_exchanges",
        "v_sessions",
        "v_findings",
        "v_alerts",
        "v_finding_acts",
        "v_finding_rates",
        "v_approvals",
        "v_approval_decisions",
        "v_approval_settlements",
        "v_admin",
        "v_sealed",
        "v_tombstones",
        "v_retention_acts",
        "v_checkpoints",
        "checkpoints_stored",
        "repeats_stored",
    } <= names(store.client, "twice")


def test_a_migration_that_broke_off_half_way_is_run_again(store: Store) -> None:
    good = "CREATE TABLE IF NOT EXISTS {database}.one (a Int8) ENGINE = MergeTree ORDER BY a;\n"
    broken = Migration(1, "half", good + "CREATE NONSENSE;\n")
    with pytest.raises(RuntimeError, match="could not be brought up to date"):
        migrate(store.client, "half", [broken])

    assert migrate(store.client, "half", [replace(broken, text=good)]) == [1]


def test_every_statement_may_run_twice(store: Store) -> None:
    migrate(store.client, "again")
    for step in migrations():
        for statement in step.statements("again"):
            store.client.command(statement)


def test_an_applied_migration_that_was_edited_is_refused(store: Store) -> None:
    step = Migration(1, "one", "CREATE TABLE IF NOT EXISTS {database}.one (a Int8) ENGINE = Memory;")
    migrate(store.client, "edited", [step])

    with pytest.raises(MigrationError, match=r"0001_one\.sql was edited"):
        migrate(store.client, "edited", [replace(step, text=step.text + "\n")])


def test_a_store_that_a_newer_version_wrote_is_refused(store: Store) -> None:
    step = Migration(1, "one", "CREATE TABLE IF NOT EXISTS {database}.one (a Int8) ENGINE = Memory;")
    migrate(store.client, "newer", [step, Migration(2, "two", step.text)])

    with pytest.raises(MigrationError, match="written by a newer version"):
        migrate(store.client, "newer", [step])


def test_every_column_of_tables_and_views_has_a_comment(store: Store) -> None:
    bare = store.client.query(
        "SELECT table, name FROM system.columns WHERE database = 'audit' AND comment = ''"
        " AND table != 'schema_migrations'"
        " AND NOT match(table, '_index_(feed|rows)$')"  # what feeds an index has the columns of the index
    ).result_rows

    assert bare == []
