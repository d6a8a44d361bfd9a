"""What of a partition may lack by the rules: the runs of its believed tombstones."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from schemas.codec import CodecError
from schemas.signatures import KeyRing
from schemas.tombstones import tombstone_fault
from sinks.verify.findings import Finding, Kind, Report

ROW, BODY, ERASED = "row", "body", "erased"


class _Passing:
    """The run of one tombstone, while its leaves are read."""

    def __init__(self, first: int, last: int, wanted: bytes) -> None:
        self.first, self.last = first, last
        self._wanted = wanted
        self._leaves = sha256()
        self._next = first

    def take(self, offset: int, leaf: bytes) -> bool | None:
        """Whether the run has the leaves that the tombstone says; None before its end, or where its start lacks."""
        if offset != self._next:
            return None
        self._leaves.update(leaf)
        self._next += 1
        return self._leaves.digest() == self._wanted if offset == self.last else None


class Forgotten:
    """Runs of offsets, by what of them is gone: whole rows, bodies, or the data of a person."""

    def __init__(
        self, partition: int, read: Callable[[], Iterable[Mapping[str, Any]]], ring: KeyRing, report: Report
    ) -> None:
        """`read` gives the tombstones as they are now. Findings for those that are not believed."""
        self._partition, self._read, self._ring, self._report = partition, read, ring, report
        self._waiting: list[_Passing] = []  # the runs not passed yet, the next one last
        self._passing: list[_Passing] = []
        self._known: set[bytes] = set()
        self._all: dict[str, list[tuple[int, int]]] = {ROW: [], BODY: [], ERASED: []}
        self._runs: dict[str, tuple[list[int], list[int]]] = {}
        self._misses, self._patience = 0, 1
        self._learn()

    def _learn(self) -> bool:
        """Takes in the tombstones that are new; whether there was any."""
        found = False
        for record in self._read():
            if record["signature"] in self._known:
                continue
            self._known.add(record["signature"])
            fault, kind = _fault(self._ring, record)
            first, last = record["first_offset"], record["last_offset"]
            if fault:
                detail = f"tombstone not believed: {fault}"
                self._report.add(Finding(kind, self._partition, first, last, detail=detail))
                continue
            found = True
            self._all[_what(record)].append((first, last))
            self._waiting.append(_Passing(first, last, record["leaves_sha256"]))
        self._waiting.sort(key=lambda run: run.first, reverse=True)
        self._runs = {what: _joined(runs) for what, runs in self._all.items()}
        return found

    def covers(self, what: str, offset: int) -> bool:
        """Whether `what` of the row at `offset` may be gone.

        Rows of a live trail go while it is read: what no tombstone covers is looked up once more, ever more rarely
        while nothing new comes of it.
        """
        if self._covers(what, offset):
            return True
        self._misses += 1
        if self._misses < self._patience:
            return False
        self._patience = self._misses + 1 if self._learn() else self._misses * 2
        return self._covers(what, offset)

    def _covers(self, what: str, offset: int) -> bool:
        firsts, lasts = self._runs[what]
        at = bisect_right(firsts, offset) - 1
        return at >= 0 and offset <= lasts[at]

    def passes(self, offset: int, leaf: bytes) -> None:
        """The next signed leaf: a tombstone names those of its run, so it cannot stand for other rows."""
        while self._waiting and self._waiting[-1].first <= offset:
            self._passing.append(self._waiting.pop())
        for run in self._passing:
            if run.take(offset, leaf) is False:
                detail = "a tombstone forgot other rows here than those that were signed"
                self._report.add(Finding(Kind.MODIFIED, self._partition, run.first, run.last, detail=detail))
        if self._passing:
            self._passing = [run for run in self._passing if run.last > offset]

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
