"""What of a partition may lack by the rules: the runs of its believed tombstones."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.codec import CodecError
from schemas.signatures import KeyRing
from schemas.tombstones import tombstone_fault
from sinks.verify.findings import Finding, Kind, Report

ROW, BODY, ERASED = "row", "body", "erased"


class Forgotten:
    """Runs of offsets, by what of them is gone: whole rows, bodies, or the data of a person."""

    def __init__(
        self, partition: int, tombstones: Iterable[Mapping[str, Any]], ring: KeyRing, report: Report
    ) -> None:
        """Findings for what is no believed tombstone of this partition."""
        runs: dict[str, list[tuple[int, int]]] = {ROW: [], BODY: [], ERASED: []}
        for record in tombstones:
            fault, kind = _fault(ring, record)
            if fault:
                first, last = record["first_offset"], record["last_offset"]
                report.add(Finding(kind, partition, first, last, detail=f"tombstone not believed: {fault}"))
            else:
                runs[_what(record)].append((record["first_offset"], record["last_offset"]))
        self._runs = {what: _joined(found) for what, found in runs.items()}

    def covers(self, what: str, offset: int) -> bool:
        """Whether `what` of the row at `offset` may be gone."""
        firsts, lasts = self._runs[what]
        at = bisect_right(firsts, offset) - 1
        return at >= 0 and offset <= lasts[at]

    @property
    def any_rows(self) -> bool:
        """Whether whole rows may be gone."""
        return bool(self._runs[ROW][0])


def _what(record: Mapping[str, Any]) -> str:
    return ERASED if (record["what"], record["why"]) == ("row", "erased") else str(record["what"])


def _fault(ring: KeyRing, record: Mapping[str, Any]) -> tuple[str, Kind]:
    first, last = record["first_offset"], record["last_offset"]
    if not 0 <= first <= last or record["count"] != last - first + 1:
        return "its offsets and its count do not fit", Kind.MODIFIED
    try:
        fault = tombstone_fault(ring, record)  # type: ignore[arg-type]  # columns, checked by the signature
    except (CodecError, KeyError, TypeError):
        return "its columns make no record", Kind.MODIFIED
    return fault, Kind.UNKNOWN_KEY if "unknown key" in fault else Kind.BAD_SIGNATURE


def _joined(runs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Disjoint runs in order, as their first and their last offsets."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(runs):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts
