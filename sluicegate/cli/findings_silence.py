"""`findings silence`: nobody is told of some findings for a while. They are raised and stored all the same."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.deciding import address_of, carry_out, told_of_kafka
from sluicegate.cli.durations import seconds
from sluicegate.cli.failures import USAGE, Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile
from sluicegate.cli.output import print_json, print_line, print_table
from sluicegate.cli.principals import issuer_url, moment

if TYPE_CHECKING:
    from schemas.control import ControlRecord

COLUMNS = ("rule", "caller", "issuer", "until", "by", "reason")

Rule = Annotated[str, typer.Option(help="Of this rule; `*` and `?` stand for any characters.")]
Principal = Annotated[str, typer.Option(help="About this caller.")]
Issuer = Annotated[
    str,
    typer.Option(metavar="ISSUER", help="The caller's issuer: its name in the configuration, or its URL."),
]


def silence(
    *,
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="For so long: 90s, 30m, 2h, 7d.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    rule: Rule = "",
    principal: Principal = "",
    issuer: Issuer = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Tell nobody of findings of a rule, about a caller, or both, for a while."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from schemas.control import alerts_silenced  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision, operator  # noqa: PLC0415

    span = seconds(for_)
    if not span or not (rule or principal):
        raise Failure("name a --rule, a --principal or both, and a time with --for", USAGE)
    now, url = stamp(), issuer_url(config, issuer)
    ends = now.at + span * 1_000_000
    by = str(operator())
    record = alerts_silenced(now, rule, url, principal, by=by, reason=reason, expires_at=ends)
    changes = [(record["target"], record)]
    carry_out(config, Decision("finding.silence", _named(record), reason, changes, {"for_seconds": span}))
    print_line(f"nobody is told of {_named(record)} until {moment(ends)}")


def unsilence(
    *,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    rule: Rule = "",
    principal: Principal = "",
    issuer: Issuer = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """End a silence that was made with the same options."""
    from schemas.control import silence_key  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision  # noqa: PLC0415

    key = silence_key(rule, issuer_url(config, issuer), principal)
    found = [record for record in _silences(config) if record["target"] == key]
    if not found:
        raise Failure("there is no such silence; `sluicegate findings silences` shows those that are")
    carry_out(config, Decision("finding.unsilence", _named(found[0]), reason, [(key, None)]))
    print_line(f"whoever wants it is told of {_named(found[0])} again")


def silences(as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """List what nobody is told of now. Silences in the configuration are not among them."""
    rows = [_row(record) for record in _silences(config)]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, (tuple(row.values()) for row in rows), empty="nothing is silenced")


def _silences(config: Path) -> "list[ControlRecord]":
    from gateway.edge.control import in_force  # noqa: PLC0415

    records = told_of_kafka(in_force(address_of(config)))
    return [record for record in records if record["kind"] == "alerts_silenced"]


def _row(record: "ControlRecord") -> dict[str, Any]:
    from schemas.control import silenced_rule  # noqa: PLC0415

    ends = record["expires_at"]
    return {
        "rule": silenced_rule(record),
        "subject": record["subject"],
        "issuer": record["issuer"],
        "until": None if ends is None else moment(ends),
        "by": record["by"],
        "reason": record["reason"],
    }


def _named(record: "ControlRecord") -> str:
    from schemas.control import silenced_rule  # noqa: PLC0415

    what = silenced_rule(record) or "any rule"
    if not record["subject"]:
        return what
    return f"{what} about {record['issuer']}|{record['subject']}"
