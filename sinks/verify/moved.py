"""Rows that stand where others were signed, until it is known whether they were signed for another place."""

from dataclasses import dataclass, field, replace

from sinks.verify.findings import Finding, Kind, Report

HELD_MAX = 10_000


@dataclass(slots=True)
class Moved:
    """Leaves that lack at their places, and rows that are out of place, over all partitions; at most 10,000 each."""

    report: Report
    _lost: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    _strange: list[tuple[bytes, Finding]] = field(default_factory=list)

    def lost(self, leaf: bytes, partition: int, offset: int) -> None:
        """The row with this leaf is not where it was signed."""
        if len(self._lost) < HELD_MAX:
            self._lost[leaf] = (partition, offset)

    def was_signed(self, leaf: bytes) -> bool:
        """Whether a row with this leaf lacks elsewhere, as far as was read."""
        return leaf in self._lost

    def strange(self, leaf: bytes, finding: Finding) -> None:
        """`finding` is about a row with this leaf (b"" for none); it is raised in the end, or when too many wait."""
        if leaf and len(self._strange) < HELD_MAX:
            self._strange.append((leaf, finding))
        else:
            self.report.add(finding)

    def settle(self) -> None:
        """Raises what waits: as REORDERED where the row was signed for another place."""
        for leaf, finding in self._strange:
            place = self._lost.get(leaf)
            if place is None:
                self.report.add(finding)
            else:
                detail = f"this row was signed at offset {place[1]} of partition {place[0]}"
                self.report.add(replace(finding, kind=Kind.REORDERED, detail=detail))
        self._strange.clear()
