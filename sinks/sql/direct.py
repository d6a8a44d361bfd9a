"""Saved queries straight to the store: of the process that owns the embedded one, or of a server."""

import asyncio
import time
from collections.abc import Mapping

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreThread
from sinks.sql.configuration import MEMORY_MAX, RESULT_BYTES_MAX, ROWS_MAX
from sinks.sql.safe_csv import safe_csv
from sinks.sql.sandbox import Answer
from sinks.sql.saved import Saved

_SECONDS_MAX = 120
# Times as ISO 8601, text that is no UTF-8 made so: what programs read anywhere.
SHAPES = {"date_time_output_format": "iso", "output_format_json_validate_utf8": 1}
_LIMITS = {
    "max_execution_time": _SECONDS_MAX,
    "max_memory_usage": MEMORY_MAX,
    "max_bytes_before_external_group_by": 256 << 20,
    "max_bytes_before_external_sort": 256 << 20,
    "max_threads": 2,
    "max_result_rows": ROWS_MAX,
    "max_result_bytes": RESULT_BYTES_MAX,
    "result_overflow_mode": "throw",
    **SHAPES,
    "readonly": 1,  # the last one: nothing can be set after it
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
        """What a saved query gives, in one of EXPORTS or as TABLE. Raises SavedError and as `ask`."""
        return await self.ask(query.sql, query.values(given), EXPORTS.get(form, form), safe=form == "csv")

    async def ask(self, sql: str, values: Mapping[str, str], form: str, *, safe: bool) -> Answer:
        """What `sql` gives in ClickHouse's format `form`; with `safe`, CSV for spreadsheets.

        Raises StoreAwayError when the store does not answer.
        """
        began = time.monotonic()
        try:
            body = await self._thread.call(
                lambda client: client.raw_query(sql, parameters=dict(values), fmt=form)
            )
        except DatabaseError as exc:
            if exc.code is None:
                raise StoreAwayError(f"{self._address} did not answer: {exc}") from exc
            return Answer(code=exc.code, error=str(exc))
        except ClickHouseError as exc:
            raise StoreAwayError(f"{self._address} did not answer: {exc}") from exc
        shown = await asyncio.to_thread(safe_csv, body) if safe else body
        return Answer(form, shown, time.monotonic() - began)

    async def close(self) -> None:
        """Gives the connection back."""
        await self._thread.close()
