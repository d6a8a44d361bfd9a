"""`responses`: what rules did about findings, and is in force until time or a person ends it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.deciding import address_of, carry_out, told_of_kafka
from sluicegate.cli.failures import Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile
from sluicegate.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from schemas.control import ControlRecord

commands = typer.Typer(no_args_is_help=True, help="What rules did about findings: list it, lift it.")

COLUMNS = ("response", "of", "since", "until", "by", "reason")
_NAMES = {
    "approval_demanded": "approval demanded",
    "limits_lowered": "limits lowered",
    "principal_blocked": "blocked",
}


@commands.command("list")
def list_responses(as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """List what is in force, the oldest first."""
    rows = [_row(record) for record in _responses(config)]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, _cells(rows), empty="no response is in force")


@commands.command()
def lift(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A session's id, a caller's subject, or a finding's id.")
    ],
    *,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take back all that is in force of a session, a caller, or for a finding."""
    from sluicegate.cli.decisions import Decision  # noqa: PLC0415

    found = [record for record in _responses(config) if target in _handles(record)]
    if not found:
        raise Failure(
            f"no response to {target} is in force; `sluicegate responses list` shows those that are"
        )
    for record in found:
        detail = {"kind": record["kind"], "finding_id": record["cause"], "by": record["by"]}
        change = [(record["target"], None)]
        carry_out(config, Decision("response.lift", _whose(record), reason, change, detail))
        print_line(f"lifted: {_NAMES[record['kind']]} of {_whose(record)}")


def _responses(config: Path) -> "list[ControlRecord]":
    """All demands and lowered limits, and the blocks that answer a finding: others are `principals`' own."""
    from gateway.edge.control import in_force  # noqa: PLC0415

    records = told_of_kafka(in_force(address_of(config)))
    kinds = {"approval_demanded", "limits_lowered"}
    return [r for r in records if r["kind"] in kinds or (r["kind"] == "principal_blocked" and r["cause"])]


def _handles(record: "ControlRecord") -> set[str]:
    named = {record["target"], record["session_id"], record["subject"], record["cause"], _whose(record)}
    return named - {""}


def _whose(record: "ControlRecord") -> str:
    return record["session_id"] or f"{record['issuer']}|{record['subject']}"


def _row(record: "ControlRecord") -> dict[str, Any]:
    from sluicegate.cli.principals import moment  # noqa: PLC0415

    ends = record["expires_at"]
    return {
        "response": _NAMES[record["kind"]],
        "session_id": record["session_id"],
        "subject": record["subject"],
        "issuer": record["issuer"],
        "since": moment(record["at"]),
        "until": None if ends is None else moment(ends),
        "by": record["by"],
        "reason": record["reason"],
        "finding_id": record["cause"],
        "detail": record["detail"],
    }


def _cells(rows: Iterable[dict[str, Any]]) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        whose = f"session {row['session_id']}" if row["session_id"] else row["subject"]
        yield (row["response"], whose, row["since"], row["until"], row["by"], row["reason"])
