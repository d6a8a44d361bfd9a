"""Brings a store to the schema of this version: numbered SQL files, each applied once, none ever edited.

Every statement is idempotent, so a migration that broke off half-way is simply run again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse import StoreAwayError, StoreError, quoted

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_STATEMENT_END = re.compile(r";[ \t]*(?:\n|$)")
_COMMENT_LINE = re.compile(r"^\s*--.*\n?", re.MULTILINE)


class MigrationError(StoreError):
    """The store and the migrations of this version do not fit together. The message says how."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex."""
        return sha256(self.text.encode()).hexdigest()

    def statements(self, database: str) -> list[str]:
        """Its statements in order, with `{database}` filled in."""
        bare = _COMMENT_LINE.sub("", self.text).replace("{database}", quoted(database))
        return [part.strip() for part in _STATEMENT_END.split(bare) if part.strip()]


def migrations() -> list[Migration]:
    """The migrations of this version, in order."""
    found = []
    for entry in files("sinks").joinpath("migrations").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def migrate(client: Client, database: str, known: Iterable[Migration] | None = None) -> list[int]:
    """Applies what `database` lacks; gives the numbers applied now.

    Raises MigrationError when an applied migration was edited since, or when the store is newer than this
    version; StoreAwayError when the store does not answer.
    """
    steps = list(migrations() if known is None else known)
    try:
        _prepare(client, database)
        applied = _applied(client, database)
        _refuse_strangers(applied, steps)
        missing = [step for step in steps if step.number not in applied]
        for step in missing:
            _apply(client, database, step)
    except ClickHouseError as exc:
        raise StoreAwayError(
            f"the schema of database {database} could not be brought up to date: {exc}"
        ) from exc
    return [step.number for step in missing]


def _prepare(client: Client, database: str) -> None:
    if not client.query("SELECT 1 FROM system.databases WHERE name = {n:String}", {"n": database}).row_count:
        client.command(f"CREATE DATABASE IF NOT EXISTS {quoted(database)} ENGINE = Atomic")
    client.command(
        f"CREATE TABLE IF NOT EXISTS {quoted(database)}.schema_migrations"
        " (number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))"
        " ENGINE = ReplacingMergeTree(applied_at) ORDER BY number COMMENT 'Which migrations were applied'"
    )


def _applied(client: Client, database: str) -> dict[int, str]:
    rows = client.query(
        f"SELECT number, checksum FROM {quoted(database)}.schema_migrations FINAL"
    ).result_rows
    return {int(number): str(checksum) for number, checksum in rows}


def _refuse_strangers(applied: dict[int, str], steps: list[Migration]) -> None:
    by_number = {step.number: step for step in steps}
    for number, checksum in sorted(applied.items()):
        step = by_number.get(number)
        if step is None:
            raise MigrationError(
                f"the store has migration {number:04}, which this version does not know: it was written by a "
                "newer version; run that one"
            )
        if step.checksum != checksum:
            raise MigrationError(
                f"migration {number:04}_{step.name}.sql was edited after it was applied here; "
                "put it back as it was and add a new one"
            )


def _apply(client: Client, database: str, step: Migration) -> None:
    for statement in step.statements(database):
        client.command(statement)
    row = [step.number, step.name, step.checksum]
    table = f"{quoted(database)}.schema_migrations"
    client.insert(table, [row], column_names=["number", "name", "checksum"], settings={"async_insert": 0})
