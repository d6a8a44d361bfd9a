"""`findings`: what a person should look at, and what the person says about it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from sluicegate.cli.deciding import carry_out
from sluicegate.cli.failures import Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, time_option
from sluicegate.cli.output import print_json, print_line, print_table
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from schemas.findings import FindingAct, FindingVerdict
    from sinks.readers import Finding

commands = typer.Typer(no_args_is_help=True, help="What a person should look at, and what became of it.")

COLUMNS = ("finding", "state", "severity", "raised", "rule", "caller", "count", "title")
RATES = (
    "rule",
    "findings",
    "open",
    "acknowledged",
    "true",
    "false",
    "benign",
    "false rate",
    "hours to close",
)
ACTS = ("when", "act", "who", "count", "verdict", "comment")

FindingId = Annotated[UUID, typer.Argument(metavar="ID", help="The finding's id.")]
Comment = Annotated[str, typer.Option(help="What you found; it is recorded.")]
State = Literal["open", "acknowledged", "closed"]
Severity = Literal["info", "low", "medium", "high", "critical"]
Verdict = Literal["true-positive", "false-positive", "benign"]


@commands.command("list")
def list_findings(
    *,
    state: Annotated[State | None, typer.Option(help="In this state alone.")] = None,
    rule: Annotated[str, typer.Option(help="Of this rule.")] = "",
    severity: Annotated[Severity | None, typer.Option(help="Of this severity.")] = None,
    principal: Annotated[str, typer.Option(help="About this caller.")] = "",
    connection: Annotated[str, typer.Option(help="About this connection.")] = "",
    since: Annotated[str, time_option("Seen at this ISO time (UTC) or later.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, latest first.")] = 50,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List findings, the latest raised first."""
    from sinks.readers import FindingFilter  # noqa: PLC0415

    wanted = FindingFilter(state or "", rule, severity or "", principal, connection, since)
    rows = answer(config, lambda reader: reader.findings(wanted, limit))
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, map(_cells, rows), empty="no findings")


@commands.command()
def show(finding_id: FindingId, as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """Show one finding: its facts, its evidence, and what was done about it."""
    found = _found(config, finding_id)
    if as_json:
        print_json([found])
        return
    print_table(("fact", "value"), _facts(found), empty="")
    print_line("")
    print_table(ACTS, _acts(found), empty="")


@commands.command()
def ack(finding_id: FindingId, comment: Comment = "", config: ConfigFile = DEFAULT_FILE) -> None:
    """Say that you look at it."""
    _act(config, finding_id, "acknowledged", comment)
    print_line(f"{finding_id} is acknowledged")


@commands.command()
def close(
    finding_id: FindingId,
    verdict: Annotated[Verdict, typer.Option(help="What it was: it counts for the rule.")],
    comment: Comment = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Close it with a verdict."""
    _act(config, finding_id, "closed", comment, verdict)
    print_line(f"{finding_id} is closed: {verdict}")


@commands.command()
def reopen(finding_id: FindingId, comment: Comment = "", config: ConfigFile = DEFAULT_FILE) -> None:
    """Open it again; its verdict counts no more, and whoever is told of findings is told again."""
    _act(config, finding_id, "reopened", comment)
    print_line(f"{finding_id} is open again")


@commands.command()
def rates(as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """Show for each rule what its findings turned out to be."""
    rows = answer(config, lambda reader: reader.finding_rates())
    if as_json:
        print_json(rows)
        return
    cells = (
        (
            row["rule"],
            row["findings"],
            row["open"],
            row["acknowledged"],
            row["true_positives"],
            row["false_positives"],
            row["benign"],
            _percent(row["false_positive_rate"]),
            _hours(row["median_hours_to_close"]),
        )
        for row in rows
    )
    print_table(RATES, cells, empty="no findings")


def _found(config: Path, finding_id: UUID) -> "Finding":
    found = answer(config, lambda reader: reader.finding(str(finding_id)))
    if found is None:
        raise Failure(f"there is no finding {finding_id}; `sluicegate findings list` shows them")
    return found


def _act(
    config: Path, finding_id: UUID, act: "FindingAct", comment: str, verdict: "FindingVerdict" = ""
) -> None:
    """The act is on topic `admin` before it is on topic `findings`, and afterwards again."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from schemas.findings import ACT_ACTIONS, acted, raised_again  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision, operator  # noqa: PLC0415

    found = _found(config, finding_id)
    if act == "reopened" and found["state"] == "open":
        raise Failure(f"{finding_id} is open")
    said = acted(
        raised_again(found), act, at=stamp().at, by=str(operator()), comment=comment, verdict=verdict
    )
    detail = {"rule": found["rule"], **({"verdict": verdict} if verdict else {})}
    carry_out(config, Decision(ACT_ACTIONS[act], str(finding_id), comment, [], detail, [said]))


def _cells(row: "Finding") -> tuple[Any, ...]:
    from sluicegate.cli.show import moment  # noqa: PLC0415

    state = f"{row['state']}: {row['verdict']}" if row["verdict"] else row["state"]
    raised = moment(row["raised_at"])
    return (
        row["finding_id"],
        state,
        row["severity"],
        raised,
        row["rule"],
        row["principal"],
        row["count"],
        row["title"],
    )


def _facts(found: "Finding") -> Iterable[tuple[str, Any]]:
    for name, value in found.items():
        if name not in ("acts", "attributes", "evidence") and value not in ("", None):
            yield name.replace("_", " "), value
    shown = {"principal_subject", "principal_issuer", "connection", "session_id", "tool", "technique"}
    for name, text in found["attributes"].items():
        if name not in shown:
            yield name.replace("_", " "), text
    for text in found["evidence"]:
        yield "evidence", text


def _acts(found: "Finding") -> Iterable[tuple[Any, ...]]:
    from sluicegate.cli.show import moment  # noqa: PLC0415

    for act in found.get("acts", ()):
        yield (moment(act["at"]), act["act"], act["by"], act["count"], act["verdict"], act["comment"])


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.0%}"


def _hours(hours: float | None) -> str:
    return "" if hours is None else f"{hours:.1f}"
