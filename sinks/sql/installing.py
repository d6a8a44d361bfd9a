"""What the store process writes beside the schema when it starts: how the console is reached, and who may read."""

from collections.abc import Sequence

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from sinks.clickhouse import StoreAwayError, quoted
from sinks.sql import access
from sinks.sql.teams import TeamScope

log = structlog.get_logger(__name__)
_PUBLIC_URL = "public_url"


def install(
    client: Client, database: str, public_url: str, teams: Sequence[TeamScope], *, server: bool
) -> None:
    """Brings both up to date. Raises StoreAwayError when the store does not answer.

    Only a server has roles. Where this user may not make them it is said, and nobody gets further by it.
    """
    try:
        _write(client, database, _PUBLIC_URL, public_url.rstrip("/"))
        if server:
            access.apply(client, database, teams)
    except DatabaseError as exc:
        if not access.may_not(exc):
            raise StoreAwayError(
                f"roles and row policies of {database} could not be brought up to date: {exc}"
            ) from exc
        log.warning(
            "access_not_applied",
            reason="the user of clickhouse.dsn may not manage roles",
            remedy="run what `sluicegate queries access` prints as one who may",
        )
    except ClickHouseError as exc:
        raise StoreAwayError(f"the settings of {database} could not be written: {exc}") from exc


def _write(client: Client, database: str, name: str, value: str) -> None:
    table = f"{quoted(database)}.trail_settings"
    found = client.query(
        f"SELECT value FROM {table} FINAL WHERE name = {{n:String}}", {"n": name}
    ).result_rows
    if (found[0][0] if found else "") != value:
        client.insert(table, [[name, value]], column_names=["name", "value"], settings={"async_insert": 0})
