"""Saved queries straight to the store: of the process that owns the embedded one, or of a server."""

import time
from collections.abc import Mapping

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreThread
from sinks.sql.configuration import MEMORY_MAX, RESULT_BYTES_MAX, ROWS_MAX
from sinks.sql.safe_csv import safe_csv
from sinks.sql.sandbox import Answer
from sinks.sql.saved import Saved

_SECONDS_MAX = 120
_LIMITS = {
    "max_execution_time": _SECONDS_MAX,
    "max_memory_usage": MEMORY_MAX,
    "max_bytes_before_external_group_by": 256 << 20,
    "max_bytes_before_external_sort": 256 << 20,
    "max_threads": 2,
    "max_result_rows": ROWS_MAX,
    "max_result_bytes": RESULT_BYTES_MAX,
    "result_overflow_mode": "throw",
    "readonly": 1,
}
# What people export to, by the name they give; the engine writes each. CSV is made safe for spreadsheets.
EXPORTS = {"csv": "CSVWithNames", "json": "JSONEachRow", "parquet": "Parquet"}
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/x-ndjson; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
TABLE = "JSONCompact"


class Direct:
    """Answers saved queries from the store at `address`."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._thread = StoreThread(lambda: address.connect(_LIMITS, database=address.database), "store-saved")
        self._address = address

    async def run(self, query: Saved, given: Mapping[str, str], form: str) -> Answer:
        """What it gives, in a format of ClickHouse or of EXPORTS.

        Raises SavedError for parameters it does not take, StoreAwayError when the store does not answer.
        """
        values, written = query.values(given), EXPORTS.get(form, form)
        began = time.monotonic()
        try:
            body = await self._thread.call(
                lambda client: client.raw_query(query.sql, parameters=values, fmt=written)
            )
        except DatabaseError as exc:
            if exc.code is None:
                raise StoreAwayError(f"{self._address} did not answer: {exc}") from exc
            return Answer(code=exc.code, error=str(exc))
        except ClickHouseError as exc:
            raise StoreAwayError(f"{self._address} did not answer: {exc}") from exc
        return Answer(written, exported(form, body), time.monotonic() - began)

    async def close(self) -> None:
        """Gives the connection back."""
        await self._thread.close()


def exported(form: str, body: bytes) -> bytes:
    """`body` as people may open it."""
    return safe_csv(body) if form == "csv" else body
