"""What a check found, for people and for machines."""

from typing import TYPE_CHECKING, Any

from sluicegate.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from sinks.verify.findings import Coverage, Finding, Report

_COLUMNS = ("partition", "checked", "signed", "root", "last signed", "checkpoints", "witnesses", "expired")
_FINDINGS = ("finding", "partition", "offset", "frame", "lane", "what")
_VERDICTS = {
    "SOUND": "sound: every row is the one that was recorded and signed",
    "TAMPERED": "tampered: rows or signatures are not what was recorded",
    "INCOMPLETE": "incomplete: nothing contradicts what was signed, and not all of it could be proven",
    "CANNOT_CHECK": "cannot check",
}


def show(report: "Report", *, as_json: bool) -> None:
    """Prints `report`."""
    if as_json:
        print_json(_lines(report))
        return
    print_table(_COLUMNS, map(_covered, report.coverage), empty="no partitions")
    if report.findings:
        print_line("")
        print_table(_FINDINGS, map(_found, report.findings), empty="")
    more = sum(report.counts.values()) - len(report.findings)
    if more:
        print_line(f"and {more:,} findings more")
    for note in report.notes:
        print_line(f"note: {note}")
    print_line("")
    counted = ", ".join(f"{count:,} {kind.value}" for kind, count in sorted(report.counts.items()))
    print_line(_VERDICTS[report.verdict.name] + (f"; {report.cannot}" if report.cannot else ""))
    if counted:
        print_line(counted)


def _covered(part: "Coverage") -> list[Any]:
    reach = f"{part.base_offset}-{part.base_offset + part.size - 1}" if part.size else "nothing"
    root = f"{part.root[:16]}…" if part.root else ""
    return [
        part.partition,
        part.rows,
        reach,
        root,
        part.signed_at,
        part.checkpoints,
        part.witnesses,
        part.expired,
    ]


def _found(finding: "Finding") -> list[Any]:
    first, last = finding.first_offset, finding.last_offset
    offsets = "" if first < 0 else str(first) if first == last else f"{first}-{last}"
    lane = f"{finding.lane} {finding.lane_seq}" if finding.lane else ""
    return [finding.kind.value, finding.partition, offsets, finding.frame_id, lane, finding.detail]


def _lines(report: "Report") -> "list[dict[str, Any]]":
    found = [{"type": "finding", **finding.as_json()} for finding in report.findings]
    covered = [{"type": "coverage", **part.as_json()} for part in report.coverage]
    verdict = {
        "type": "verdict",
        "verdict": report.verdict.name.lower(),
        "rows": report.rows,
        "findings": {kind.value: count for kind, count in sorted(report.counts.items())},
        "notes": report.notes,
        "reason": report.cannot,
    }
    return [*found, *covered, verdict]
