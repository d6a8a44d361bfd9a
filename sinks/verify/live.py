"""A live trail: read page by page from the process that owns the embedded store, or from a ClickHouse server."""

import heapq
import json
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from itertools import takewhile
from typing import Any, Protocol, cast
from urllib.parse import urlencode

from schemas.checkpoints import CheckpointRecord
from sinks.clickhouse import StoreAwayError
from sinks.settings import SinkSettings
from sinks.verify.findings import VerifyError
from sinks.verify.pages import BEFORE_ALL, LIMIT_MAX, Part, place_of, records_of
from sinks.verify.rebuild import Row
from sinks.verify.selection import ALL, Selection

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

    def offsets(self, partition: int, wanted: Selection) -> bytes:
        """The offsets of the rows in `wanted`: 8 bytes each, little-endian, ascending; of a range, its ends alone."""
        ...

    def page(self, part: Part, partition: int, after: int, limit: int, wanted: Selection = ALL) -> bytes:
        """An Avro object container. Raises TooMuchError, StoreAwayError."""
        ...

    def close(self) -> None:
        """Gives back what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far a partition is looked at, so that what comes meanwhile is left out: offsets, exclusive."""

    signed_end: int
    stored_end: int

    @property
    def end(self) -> int:
        """Rows below are looked at."""
        return max(self.signed_end, self.stored_end)


_NOTHING = Horizon(0, 0)


def horizons(
    asking: Asking, wait_seconds: float, clock: Callable[[], float], pause: Callable[[], None]
) -> dict[int, Horizon]:
    """How far each partition can be checked now.

    What is stored is signed within a second or so, and what is signed is stored soon: waits for both to meet, at most
    `wait_seconds` in all. Where they do not, the check says so.
    """
    deadline = clock() + wait_seconds
    found = {}
    for partition in asking.partitions():
        stored = _stored_end(asking, partition)
        while (horizon := _horizon(asking, partition, stored)) is None:
            if clock() > deadline:
                signed = asking.ends(partition)["signed_end"] or 0
                horizon = Horizon(signed, stored)
                break
            pause()
        found[partition] = horizon
    return found


def _horizon(asking: Asking, partition: int, stored: int) -> Horizon | None:
    ends = asking.ends(partition)
    signed = ends["signed_end"] or 0
    met = signed >= stored and ((-1 if ends["rows_end"] is None else ends["rows_end"]) + 1) >= signed
    return Horizon(signed, stored) if met else None


def _stored_end(asking: Asking, partition: int) -> int:
    last = asking.ends(partition)["rows_end"]
    return 0 if last is None else last + 1


class LiveTrail:
    """The trail as a store has it now (see `sinks.verify.trail.Trail`). One page is held in memory at a time."""

    def __init__(self, asking: Asking, horizons: Mapping[int, Horizon]) -> None:
        """`horizons`: how far each partition is read."""
        self._asking = asking
        self._horizons = horizons

    def partitions(self) -> Sequence[int]:
        """See Trail."""
        return sorted(self._horizons)

    def checkpoints(self, partition: int) -> Iterable[CheckpointRecord]:
        """See Trail."""
        end = self._horizons.get(partition, _NOTHING).signed_end
        records = self._records(Part.CHECKPOINTS, partition)
        within = takewhile(lambda record: record["base_offset"] + record["tree_size"] <= end, records)
        return cast("Iterable[CheckpointRecord]", within)

    def tombstones(self, partition: int) -> Iterable[dict[str, Any]]:
        """See Trail."""
        return self._records(Part.TOMBSTONES, partition)

    def rows(self, partition: int) -> Iterator[Row]:
        """See Trail."""
        parts = (self._records(part, partition) for part in (Part.ROWS, Part.REPEATS))
        end = self._horizons.get(partition, _NOTHING).end
        return takewhile(
            lambda row: row["k_offset"] < end, heapq.merge(*parts, key=lambda row: row["k_offset"])
        )

    def offsets(self, partition: int, wanted: Selection) -> "array[int]":
        """The offsets of the rows in `wanted`, ascending; of a range, its ends alone. 8 bytes each."""
        found = array("q", self._asking.offsets(partition, wanted))
        if sys.byteorder == "big":
            found.byteswap()
        return found

    def selected_rows(self, partition: int, wanted: Selection, first: int, last: int) -> Iterator[Row]:
        """The rows in `wanted` from offset `first` to `last`, by offset; of a range also what it says nothing of."""
        chosen = ALL if wanted.is_range else wanted
        parts = [self._records(Part.ROWS, partition, first - 1, chosen)]
        if wanted.is_range:
            parts.append(self._records(Part.REPEATS, partition, first - 1))
        rows = heapq.merge(*parts, key=lambda row: row["k_offset"])
        return takewhile(lambda row: row["k_offset"] <= last, rows)

    def _records(
        self, part: Part, partition: int, after: int = BEFORE_ALL, wanted: Selection = ALL
    ) -> Iterator[dict[str, Any]]:
        limit = _PAGE_FIRST
        while True:
            try:
                page = self._asking.page(part, partition, after, limit, wanted)
            except TooMuchError as error:
                if limit == 1:
                    raise VerifyError(f"{part} after {after} of partition {partition}: {error}") from error
                limit = max(1, limit // 8)
                continue
            places = 0
            for record in records_of(part, page):
                places += place_of(part, record) != after
                after = place_of(part, record)
                yield record
            if places < limit:
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

    def offsets(self, partition: int, wanted: Selection) -> bytes:
        """See Asking."""
        return self._get("offsets", {"partition": partition, **asdict(wanted)})

    def page(self, part: Part, partition: int, after: int, limit: int, wanted: Selection = ALL) -> bytes:
        """See Asking."""
        place = {"partition": partition, "after": after, "limit": limit}
        return self._get(part.value, {**place, **asdict(wanted)})

    def close(self) -> None:
        """See Asking."""
        self._http.close()

    def _get(self, what: str, params: Mapping[str, int | str]) -> bytes:
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


def open_store(settings: SinkSettings) -> Asking:
    """The way to the store of an installation: to the owner of the embedded store, or to the server itself."""
    if settings.clickhouse.embedded:
        return OverHttp(settings)
    from sinks.verify.straight import Straight  # noqa: PLC0415  # its driver takes its time to import

    return Straight.at(settings.clickhouse)
