"""A live trail: read page by page from the process that owns the embedded store, or from a ClickHouse server."""

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol, cast
from urllib.parse import urlencode

from schemas.checkpoints import CheckpointRecord
from sinks.clickhouse import StoreAwayError
from sinks.settings import SinkSettings
from sinks.verify.findings import VerifyError
from sinks.verify.pages import BEFORE_ALL, LIMIT_MAX, Part, place_of, records_of
from sinks.verify.rebuild import Row

_TIMEOUT_S = 180
_PAGE_FIRST = 1_024
_PAGE_BYTES_LOW = 8 << 20
_PAGE_BYTES_HIGH = 32 << 20


class TooMuchError(RuntimeError):
    """A page is too large for the store to answer; a smaller one may do."""


class Asking(Protocol):
    """A way to the store."""

    def partitions(self) -> list[int]:
        """The partitions that there is anything of."""
        ...

    def ends(self, partition: int) -> dict[str, int | None]:
        """`rows_end`: the last offset stored; `signed_end`: the one after what is signed; None for nothing."""
        ...

    def page(self, part: Part, partition: int, after: int, limit: int) -> bytes:
        """An Avro object container. Raises TooMuchError, StoreAwayError."""
        ...

    def close(self) -> None:
        """Gives back what it holds."""
        ...


class LiveTrail:
    """The trail as a store has it now (see `sinks.verify.trail.Trail`). One page is held in memory at a time."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def partitions(self) -> Sequence[int]:
        """See Trail."""
        return self._asking.partitions()

    def ends(self, partition: int) -> dict[str, int | None]:
        """See Asking."""
        return self._asking.ends(partition)

    def checkpoints(self, partition: int) -> Iterable[CheckpointRecord]:
        """See Trail."""
        return cast("Iterable[CheckpointRecord]", self._records(Part.CHECKPOINTS, partition))

    def tombstones(self, partition: int) -> Iterable[dict[str, Any]]:
        """See Trail."""
        return self._records(Part.TOMBSTONES, partition)

    def rows(self, partition: int) -> Iterator[Row]:
        """See Trail."""
        parts = (self._records(part, partition) for part in (Part.ROWS, Part.REPEATS))
        return heapq.merge(*parts, key=lambda row: row["k_offset"])

    def close(self) -> None:
        """Gives back what it holds."""
        self._asking.close()

    def _records(self, part: Part, partition: int) -> Iterator[dict[str, Any]]:
        after, limit = BEFORE_ALL, _PAGE_FIRST
        while True:
            try:
                page = self._asking.page(part, partition, after, limit)
            except TooMuchError as error:
                if limit == 1:
                    raise VerifyError(f"{part} after {after} of partition {partition}: {error}") from error
                limit = max(1, limit // 8)
                continue
            found = False
            for record in records_of(part, page):
                found, after = True, place_of(part, record)
                yield record
            if not found:
                return
            limit = _next_limit(limit, len(page))


def _next_limit(limit: int, size: int) -> int:
    if size > _PAGE_BYTES_HIGH:
        return max(1, limit // 2)
    return min(LIMIT_MAX, limit * 2) if size < _PAGE_BYTES_LOW else limit


class OverHttp:
    """Asks the process that owns the embedded store. Raises StoreAwayError when it does not answer."""

    def __init__(self, settings: SinkSettings) -> None:
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host
        self._http = HTTPConnection(host, settings.port, timeout=_TIMEOUT_S)
        try:
            token = settings.token_path.read_text(encoding="ascii").strip()
        except OSError as error:
            raise StoreAwayError(
                f"the query token {settings.token_path} cannot be read ({error.strerror}); "
                "is `sluicegate up` running with this data_dir, and as this user?"
            ) from error
        self._headers = {"Authorization": f"Bearer {token}"}

    def partitions(self) -> list[int]:
        """See Asking."""
        return cast("list[int]", json.loads(self._get("partitions", {})))

    def ends(self, partition: int) -> dict[str, int | None]:
        """See Asking."""
        return cast("dict[str, int | None]", json.loads(self._get("ends", {"partition": partition})))

    def page(self, part: Part, partition: int, after: int, limit: int) -> bytes:
        """See Asking."""
        return self._get(part.value, {"partition": partition, "after": after, "limit": limit})

    def close(self) -> None:
        """See Asking."""
        self._http.close()

    def _get(self, what: str, params: dict[str, int]) -> bytes:
        try:
            self._http.request("GET", f"/api/proof/{what}?{urlencode(params)}", headers=self._headers)
            response = self._http.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            raise StoreAwayError(
                f"the process that owns the store does not answer at {self._http.host}:{self._http.port}; "
                "is `sluicegate up` running?"
            ) from error
        if response.status == 200:
            return content
        said = content.decode("utf-8", "replace").strip()
        raise TooMuchError(said) if response.status == 413 else StoreAwayError(said)


def open_live(settings: SinkSettings) -> LiveTrail:
    """The trail of an installation: over HTTP from the owner of the embedded store, or straight from the server."""
    if settings.clickhouse.embedded:
        return LiveTrail(OverHttp(settings))
    from sinks.verify.straight import Straight  # noqa: PLC0415  # its driver takes its time to import

    return LiveTrail(Straight(settings.clickhouse))
