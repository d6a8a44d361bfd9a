"""`python -m tests.evidence.page DIR`: a folder of evidence as a page of the documentation, on standard output."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

SHOWN = {"approvals": 7, "denied-calls": 7, "findings": 6, "gateways": 5, "gaps": 7}
ROWS = 4
CELL = 60


def main() -> None:
    """Prints it."""
    folder = Path(sys.argv[1])
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    print(f"Verification: **{manifest['verdict']}**. {manifest['framework']}, "
          f"{manifest['since']} to {manifest['until']}, seed {manifest['seed']}.\n")  # fmt: skip
    columns = ["partition", "rows", "size", "root", "signed_at"]
    coverage = [row for row in _lines(folder / "verification.json") if "root" in row]
    _table(columns, [[row[name] for name in columns] for row in coverage])
    columns = ["partition", "state", "recorded", "processed", "verified", "missing_frames", "expired"]
    _table(columns, [[row[name] for name in columns] for row in _lines(folder / "completeness.json")])
    print("| exhibit | rows |\n|---|---|")
    for name, population in manifest["populations"].items():
        print(f"| {name} | {population} |")
    for name, width in SHOWN.items():
        with (folder / "exhibits" / f"{name}.sample.csv").open(newline="") as file:
            head, *rows = list(csv.reader(file))
        print(f"\n### {name}\n")
        _table(head[:width], [row[:width] for row in rows[:ROWS]])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _table(head: list[str], rows: list[list[Any]]) -> None:
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(_cell(each) for each in row)} |")
    print()


def _cell(value: Any) -> str:
    text = str(value).replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


if __name__ == "__main__":
    main()
