"""Asking a store itself: a ClickHouse server, or an embedded store that this process owns."""

from collections.abc import Callable
from typing import TypeVar

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from sinks.clickhouse import ClickHouseAddress, StoreAwayError
from sinks.verify.live import TooMuchError
from sinks.verify.pages import Part, page_statement
from sinks.verify.selection import ALL, Selection
from sinks.verify.server import LIMITS, TOO_MUCH, ask, ends, offsets, partitions

Result = TypeVar("Result")


class Straight:
    """See `sinks.verify.live.Asking`."""

    def __init__(self, client: Client, database: str) -> None:
        """`client` is closed with this."""
        self._database = database
        self._client = client

    @classmethod
    def at(cls, address: ClickHouseAddress) -> "Straight":
        """Raises StoreAwayError when nothing answers there."""
        return cls(address.connect(LIMITS, database=address.database), address.database)

    def partitions(self) -> list[int]:
        """See Asking."""
        return self._told(lambda: partitions(self._client, self._database))

    def ends(self, partition: int) -> dict[str, int | None]:
        """See Asking."""
        return self._told(lambda: ends(self._client, self._database, partition))

    def offsets(self, partition: int, wanted: Selection) -> bytes:
        """See Asking."""
        return self._told(lambda: offsets(self._client, self._database, partition, wanted))

    def page(self, part: Part, partition: int, after: int, limit: int, wanted: Selection = ALL) -> bytes:
        """See Asking."""
        statement = page_statement(self._database, part, partition, after, limit, wanted)
        return self._told(lambda: ask(self._client, statement))

    def close(self) -> None:
        """See Asking."""
        self._client.close()

    def _told(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except DatabaseError as error:
            if error.code in TOO_MUCH:
                raise TooMuchError(str(error)) from error
            raise StoreAwayError(f"the store does not answer: {error}") from error
        except ClickHouseError as error:
            raise StoreAwayError(f"the store does not answer: {error}") from error
