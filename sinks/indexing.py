"""What lists look into is fed by the store itself, with every insert. One that broke off is made good here."""

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse import StoreAwayError, quoted

_INDEXES = ("exchanges_index", "redactions_index", "sessions_index")
_MINUTES = 10


def index_again(client: Client, database: str) -> None:
    """Indexes the frames stored last once more, which changes nothing where they are indexed.

    A process that is killed may have stored frames and not their index; on the way back it knows them as stored and
    does not send them again. Raises StoreAwayError when the store does not answer.
    """
    inside = quoted(database)
    latest = f"(SELECT max(ingested_at) FROM {inside}.frames_stored) - INTERVAL {_MINUTES} MINUTE"
    try:
        for index in _INDEXES:
            client.command(
                f"INSERT INTO {inside}.{index} SELECT * EXCEPT (ingested_at) FROM {inside}.{index}_rows"
                f" WHERE ingested_at >= {latest} SETTINGS max_partitions_per_insert_block = 0"
            )
    except ClickHouseError as exc:
        raise StoreAwayError(f"the frames stored last could not be indexed: {exc}") from exc
