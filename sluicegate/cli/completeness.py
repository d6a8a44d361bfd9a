"""`completeness`: whether every recorded frame has gone on its way."""

from typing import TYPE_CHECKING, Any

import typer

from sluicegate.cli.failures import FAILED, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, kafka_of, settings_of
from sluicegate.cli.output import print_json, print_line, print_table
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from processors.completeness_report import PartitionReport

COLUMNS = ("partition", "state", "recorded", "processed", "verified", "missing", "redriven", "expired")


def completeness(as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """Compare what was recorded with what arrived.

    Offsets of topic `frames`, by partition: recorded up to, processed up to, verified to be in `audit` or
    `dead-letters`. Exit code 1 when frames are missing, or expired before they were processed.
    """
    kafka = kafka_of(settings_of(config))
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from processors.completeness_report import State, completeness_report  # noqa: PLC0415

    with told(KafkaError, OSError):
        report = run_quietly(completeness_report(kafka))
    rows = [row_of(partition) for partition in report.partitions]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, (_cells(row) for row in rows), empty="no partitions")
        print_line(str(report.state))
    if report.state is State.INCOMPLETE:
        raise typer.Exit(FAILED)


def row_of(report: "PartitionReport") -> dict[str, Any]:
    """One partition, as --json has it."""
    return {
        "partition": report.partition,
        "state": report.state.value,
        "recorded": report.end,
        "processed": report.processed,
        "verified": report.verified,
        "missing": [list(part) for part in report.missing],
        "missing_frames": report.missing_frames,
        "redriven": report.redriven,
        "expired": report.expired,
    }


def _cells(row: dict[str, Any]) -> list[Any]:
    ranges = [f"{first}-{end - 1}" for first, end in row["missing"]]
    return [ranges if name == "missing" else row[name] for name in COLUMNS]
