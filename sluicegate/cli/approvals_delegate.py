"""`approvals delegate`, `delegations`, `undelegate`: who may decide instead of whom. Asked of a console."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import typer

from sluicegate.cli.approvals_asking import ConsoleUrl, asked
from sluicegate.cli.durations import seconds
from sluicegate.cli.failures import USAGE, Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile
from sluicegate.cli.output import print_json, print_line, print_table

COLUMNS = ("delegation", "from", "to", "until", "groups", "reason")
Reason = Annotated[str, typer.Option(help="Why; it stands on the record.")]


def delegate(
    to: Annotated[str, typer.Argument(metavar="PERSON", help="`ISSUER|SUBJECT`, or `terminal:USER@HOST`.")],
    *,
    span: Annotated[
        str, typer.Option("--for", metavar="TIME", help="For how long: 8h, 14d; at most 90 days.")
    ],
    reason: Reason = "",
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Let somebody decide instead of you until then, with the groups that you have today."""
    from schemas.people import canonical  # noqa: PLC0415

    issuer, bar, subject = canonical(to).partition("|")
    lasting = seconds(span)
    if not bar or not subject or not lasting:
        raise Failure(
            "name a person as `ISSUER|SUBJECT` or `terminal:USER@HOST`, and a time such as 8h", USAGE
        )
    until = (datetime.now(UTC) + timedelta(seconds=lasting)).isoformat()
    wish = {"to": {"issuer": issuer, "subject": subject}, "until": until, "reason": reason}
    made = asked(console, config, lambda rest: rest.ask("POST", "/api/delegations", wish))
    print_line(f"delegation {made['id']}: {to} may decide instead of you until {made['until']}")


def delegations(console: ConsoleUrl = "", as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """List the delegations that you gave or hold; an auditor sees all."""
    found = asked(console, config, lambda rest: rest.ask("GET", "/api/delegations"))["delegations"]
    if as_json:
        print_json(found)
    else:
        print_table(COLUMNS, map(_cells, found), empty="nobody decides instead of anybody")


def undelegate(
    delegation_id: Annotated[UUID, typer.Argument(metavar="ID", help="The delegation's id.")],
    reason: Reason = "",
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take a delegation back that you gave or hold."""
    path = f"/api/delegations/{delegation_id}?reason={quote(reason)}"
    asked(console, config, lambda rest: rest.ask("DELETE", path))
    print_line(f"delegation {delegation_id} has ended")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    names = [f"{row[end]['issuer']}|{row[end]['subject']}" for end in ("from", "to")]
    return (row["id"], *names, row["until"], row["groups"], row["reason"])
