"""`principals`: who gets nothing, on every replica, until somebody takes it back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.deciding import address_of, carry_out, told_of_kafka
from sluicegate.cli.durations import seconds
from sluicegate.cli.failures import USAGE, Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, settings_of
from sluicegate.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from schemas.control import ControlRecord

commands = typer.Typer(no_args_is_help=True, help="Callers: who is blocked.")

COLUMNS = ("subject", "issuer", "since", "until", "by", "reason")
EVERY_ISSUER = "(every issuer)"

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="The caller, as the trail names it.")]
Issuer = Annotated[
    str,
    typer.Option(metavar="ISSUER", help="Of this issuer alone: its name in the configuration, or its URL."),
]


@commands.command()
def block(
    subject: Subject,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is recorded, and the caller is told.")],
    issuer: Issuer = "",
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="For so long: 90s, 30m, 2h, 7d.")] = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Block a caller: open streams end, and nothing of theirs passes any more."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from schemas.control import principal_blocked  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision, operator  # noqa: PLC0415

    if not subject:
        raise Failure("SUBJECT is empty; name the caller as the trail does", USAGE)
    span, url, now = seconds(for_), issuer_url(config, issuer), stamp()
    ends = None if span is None else now.at + span * 1_000_000
    record = principal_blocked(now, url, subject, by=str(operator()), reason=reason, expires_at=ends)
    detail = {} if span is None else {"for_seconds": span}
    changes = [(record["target"], record)]
    carry_out(config, Decision("principal.block", _named(url, subject), reason, changes, detail))
    until = "until somebody unblocks it" if ends is None else f"until {moment(ends)}"
    print_line(f"{subject} of {url or 'every issuer'} is blocked {until}")


@commands.command()
def unblock(
    subject: Subject,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    issuer: Issuer = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take blocks of a caller back: that of one issuer, else all of them."""
    from sluicegate.cli.decisions import Decision  # noqa: PLC0415

    url = issuer_url(config, issuer)
    found = [r for r in _blocks(config) if r["subject"] == subject and (not url or r["issuer"] == url)]
    if not found:
        raise Failure(f"nobody called {subject} is blocked; `sluicegate principals list` shows who is")
    for record in found:
        target = _named(record["issuer"], subject)
        carry_out(config, Decision("principal.unblock", target, reason, [(record["target"], None)]))
        print_line(f"{subject} of {record['issuer'] or 'every issuer'} is blocked no more")


@commands.command("list")
def list_blocked(as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """List who is blocked, the longest blocked first."""
    rows = [_row(record) for record in _blocks(config)]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, _cells(rows), empty="nobody is blocked")


def issuer_url(config: Path, issuer: str) -> str:
    """The URL of an issuer that is given by its name or as such; '' for none."""
    if not issuer or "://" in issuer:
        return issuer
    known = {block.name: block.issuer for block in settings_of(config).identity.issuers}
    if issuer not in known:
        names = ", ".join(sorted(known)) or "none"
        raise Failure(f"the configuration has no issuer {issuer} (it has: {names}); write its URL", USAGE)
    return known[issuer]


def _blocks(config: Path) -> "list[ControlRecord]":
    from gateway.edge.control import in_force  # noqa: PLC0415

    records = told_of_kafka(in_force(address_of(config)))
    return [record for record in records if record["kind"] == "principal_blocked"]


def _row(record: "ControlRecord") -> dict[str, Any]:
    ends = record["expires_at"]
    return {
        "subject": record["subject"],
        "issuer": record["issuer"],
        "since": moment(record["at"]),
        "until": None if ends is None else moment(ends),
        "by": record["by"],
        "reason": record["reason"],
    }


def _cells(rows: Iterable[dict[str, Any]]) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        yield (row["subject"], row["issuer"] or EVERY_ISSUER, *(row[name] for name in COLUMNS[2:]))


def _named(issuer: str, subject: str) -> str:
    return f"{issuer}|{subject}"


def moment(microseconds: int) -> str:
    """A time as the commands show it: ISO 8601, UTC, in seconds."""
    return (
        datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )
