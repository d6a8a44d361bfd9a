"""Putting values into a store without Kafka."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from sinks.avro import Placed
from sinks.store import insert
from sinks.tables import frames_target

TARGET = frames_target("audit")


def fill(
    client: Client, values: Sequence[bytes], *, partition: int = 0, first: int = 0, database: str = "audit"
) -> list[int]:
    """Stores `values` as one batch from offset `first` on; gives the offsets the store could not read."""
    placed = [Placed(partition, first + at, value) for at, value in enumerate(values)]
    schema = TARGET.schemas.of(values[0])
    token = f"audit:{partition}:{first}-{first + len(values)}:{hash(tuple(values))}"
    return [p.offset for p in insert(client, f"{database}.frames_stored", schema, placed, token)]
