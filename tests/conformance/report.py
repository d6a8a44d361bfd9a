"""The comparison as a table for a person and as JSON for a program."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance.compare import PASSED, Row, Run, tally

REASON_SHOWN = 300  # characters of the suite's own words under a lost check


def lines(revision: str, direct: Run, through: Run, compared: list[Row], *, every: bool) -> list[str]:
    """The table of one revision: the checks that differ, or `every` one."""
    shown = [row for row in compared if every or row.differs]
    width = max((len(str(row.key)) for row in shown), default=0)
    table = [
        f"{revision}: {len(compared)} checks · {_counts('direct', direct)} · {_counts('through', through)}"
    ]
    for row in shown:
        table.append(
            f"  {row.key!s:{width}}  {row.direct.status:8} {row.through.status:8} {_mark(row)}".rstrip()
        )
        if row.lost and row.through.reason:
            table.append(f"      {row.through.reason[:REASON_SHOWN]}")
    return [*table, f"  {sum(row.lost for row in compared)} lost"]


def _counts(name: str, run: Run) -> str:
    passed, failed = tally(run)
    return f"{name} {passed} passed, {failed} failed"


def _mark(row: Row) -> str:
    if row.lost:
        return "LOST"
    return "gained" if row.differs and row.through.status == PASSED else ""


def write(path: Path, table: dict[str, list[Row]]) -> None:
    """Write every check of every revision to `path`, one object each, making the folder."""
    entries = [_entry(revision, row) for revision, compared in table.items() for row in compared]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries, indent=1) + "\n")


def _entry(revision: str, row: Row) -> dict[str, object]:
    return {
        "revision": revision,
        "scenario": row.key.scenario,
        "check": row.key.check,
        "nth": row.key.nth,
        "direct": row.direct.status,
        "through": row.through.status,
        "lost": row.lost,
        "reason": row.through.reason,
    }
