"""What forgetting asks of the store, and does there. Every change names its rows by their offsets, and by no time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.retention_content import Hold
from schemas.tombstones import SEVERAL, Tombstone
from sinks.clickhouse import StoreAwayError, quoted
from sinks.retention.due import NEVER, held, in_runs, text

ROWS_MAX = 500_000
"""Rows that are looked at in one go."""

RUN_ROWS = 50_000
"""Offsets of one tombstone, at most; runs are cut at its multiples."""

_WAIT = {"mutations_sync": 1}

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Run:
    """Rows at consecutive offsets of one partition of topic `audit`."""

    partition: int
    first: int
    last: int
    connection: str
    leaves_sha256: bytes


class Frames:
    """`frames_stored` and the tombstones beside it, through one client. Every call raises StoreAwayError."""

    def __init__(self, client: Client, database: str) -> None:
        self._client, self._name = client, database
        self.database = quoted(database)
        self.table = f"{self.database}.frames_stored"

    def busy(self) -> bool:
        """Whether the table is still being changed, by a migration or by what a crash left behind."""
        where = f"database = {text(self._name)} AND table = 'frames_stored' AND NOT is_done"
        return bool(self.rows(f"SELECT count() FROM system.mutations WHERE {where}")[0][0])

    def runs(self, condition: str) -> list[Run]:
        """The rows that fit, as runs; at most `ROWS_MAX` rows of them."""
        rows = self.rows(_RUNS.format(table=self.table, condition=condition))
        return [
            Run(
                int(partition),
                int(first),
                int(last),
                names[0] if len(names) == 1 else SEVERAL,
                bytes.fromhex(leaves),
            )
            for partition, first, last, names, leaves in rows
        ]

    def open_tombstones(self) -> list[Tombstone]:
        """Those that are stored and not carried out yet, oldest first."""
        asked = (
            f"SELECT {_TOMBSTONE} FROM {self.database}.tombstones_stored FINAL WHERE tombstone_id NOT IN"
            f" (SELECT tombstone_id FROM {self.database}.tombstones_applied) ORDER BY at, partition, first_offset"
        )
        return [_tombstone(row) for row in self.rows(asked)]

    def stored(self, ids: Iterable[str]) -> set[str]:
        """Which of these tombstones are stored."""
        listed = ", ".join(f"'{each}'" for each in ids)
        asked = f"SELECT tombstone_id FROM {self.database}.tombstones_stored WHERE tombstone_id IN ({listed})"
        return {str(row[0]) for row in self.rows(asked)}

    def applied(self, tombstones: Iterable[Tombstone]) -> None:
        """Notes that they are carried out."""
        rows = [[each["tombstone_id"]] for each in tombstones]
        table = f"{self.database}.tombstones_applied"
        self._asked(
            lambda: self._client.insert(
                table, rows, column_names=["tombstone_id"], settings={"async_insert": 0}
            )
        )

    def expire(self, tombstones: Sequence[Tombstone], holds: Iterable[Hold]) -> None:
        """The rows they name may go from now on, but for those that are held: the table's TTL takes them.

        What finds exchanges goes first: a crash between leaves rows without it, whose tombstones are still open.
        """
        free = f"retain_until = {NEVER} AND NOT {held(holds, self.table)}"
        going = f"{in_runs(map(run_of, tombstones))} AND {free}"
        self._unlist(going)
        self.update("retain_until = now64(3)", tombstones, free)

    def _unlist(self, going: str) -> None:
        """Takes out of the indexes what is of these rows alone."""
        ids = f"SELECT exchange_id FROM {self.table} WHERE {going}"
        staying = f"SELECT exchange_id FROM {self.table} WHERE exchange_id IN ({ids}) AND NOT ({going})"
        self.command(
            f"ALTER TABLE {self.database}.exchanges_index DELETE"
            f" WHERE exchange_id IN ({ids}) AND exchange_id NOT IN ({staying})"
        )
        places = f"SELECT lane, lane_seq FROM {self.table} WHERE {going}"
        self.command(
            f"ALTER TABLE {self.database}.redactions_index DELETE WHERE (lane, lane_seq) IN ({places})"
        )

    def callers(self, tombstone: Tombstone) -> list[tuple[str, str]]:
        """(issuer, subject) of the callers in the rows of a tombstone."""
        where = in_runs([run_of(tombstone)])
        asked = f"SELECT DISTINCT principal_issuer, principal_subject FROM {self.table} WHERE {where}"
        return [(str(issuer), str(subject)) for issuer, subject in self.rows(asked)]

    def empty_bodies(self, tombstones: Sequence[Tombstone], holds: Iterable[Hold]) -> None:
        """The bodies of the rows they name go, but for those that are held; their digests stay."""
        emptied = "body_sha256 = body_sha256, body = '', body_salt = '', retained = 'no_body'"
        self.update(emptied, tombstones, f"body != '' AND NOT {held(holds, self.table)}")

    def left(self, tombstone: Tombstone, condition: str) -> int:
        """How many rows of a tombstone are still there and fit."""
        return self.count(f"{in_runs([run_of(tombstone)])} AND {condition}")

    def count(self, condition: str) -> int:
        """How many rows fit."""
        return int(self.rows(f"SELECT count() FROM {self.table} WHERE {condition}")[0][0])

    def update(self, changes: str, tombstones: Iterable[Tombstone], condition: str) -> None:
        """Changes the rows that `tombstones` name and that fit; returns when that is done."""
        where = f"{in_runs(map(run_of, tombstones))} AND {condition}"
        for (part,) in self.rows(f"SELECT DISTINCT _partition_id FROM {self.table} WHERE {where}"):
            statement = f"ALTER TABLE {self.table} UPDATE {changes} IN PARTITION ID '{part}' WHERE {where}"
            self.command(statement)

    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        """What a query gives."""
        return self._asked(
            lambda: self._client.query(statement, settings={"max_query_size": 1 << 24})
        ).result_rows

    def command(self, statement: str) -> None:
        """A change of the store; returns when it is done."""
        self._asked(lambda: self._client.command(statement, settings={**_WAIT, "max_query_size": 1 << 24}))

    def _asked(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except ClickHouseError as error:
            raise StoreAwayError(f"forgetting: {str(error)[:500]}") from error


def run_of(tombstone: Tombstone) -> tuple[int, int, int]:
    """(partition, first offset, last offset)."""
    return tombstone["partition"], tombstone["first_offset"], tombstone["last_offset"]


def _tombstone(row: Sequence[Any]) -> Tombstone:
    names = list(Tombstone.__annotations__)
    found = {name: _value(name, value) for name, value in zip(names, row, strict=True)}
    return cast("Tombstone", found)  # the columns are its fields, in their order


def _value(name: str, value: Any) -> Any:
    if name in ("leaves_sha256", "signature"):
        return bytes.fromhex(value)
    return list(value) if isinstance(value, (list, tuple)) else value


_TOMBSTONE = ", ".join(
    {
        "at": "toUnixTimestamp64Micro(at)",
        "tombstone_id": "toString(tombstone_id)",
        "leaves_sha256": "hex(leaves_sha256)",
        "signature": "hex(signature)",
    }.get(name, name)
    for name in Tombstone.__annotations__
)
_LEAF = "SHA256(concat(char(0), audit_digest))"
_RUNS = f"""
SELECT k_partition, min(k_offset), max(k_offset), groupUniqArray(2)(connection),
    hex(SHA256(arrayStringConcat(arrayMap(each -> each.2, arraySort(groupArray((k_offset, leaf)))))))
FROM
(
    SELECT k_partition, k_offset, connection, leaf,
        k_offset - row_number() OVER (PARTITION BY k_partition ORDER BY k_offset) AS island
    FROM
    (
        SELECT k_partition, k_offset, toString(connection) AS connection, toString({_LEAF}) AS leaf
        FROM {{table}} WHERE {{condition}}
        ORDER BY k_partition, k_offset LIMIT 1 BY k_partition, k_offset LIMIT {ROWS_MAX}
    )
)
GROUP BY k_partition, island, intDiv(k_offset, {RUN_ROWS})
ORDER BY k_partition, min(k_offset)
"""
