"""`approvals`: what waits for a person, and the person's word."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from sluicegate.cli import approvals_access, approvals_delegate
from sluicegate.cli.approvals_asking import ConsoleUrl, asked
from sluicegate.cli.failures import Failure, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, kafka_of, settings_of
from sluicegate.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from console.standing import Standing
    from schemas.approvals import DecisionVerb

commands = typer.Typer(no_args_is_help=True, help="Calls that wait for a person, and grants that hold.")

ApprovalId = Annotated[UUID, typer.Argument(metavar="ID", help="The approval's id.")]
Comment = Annotated[str, typer.Option(help="Why; whoever asked is told, and it stands on the record.")]
Wait = Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the answer.", min=0)]


@commands.command("list")
def list_approvals(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    connection: Annotated[str, typer.Option(help="Of this connection.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Those that wait for you; with --console.")] = False,
    console: ConsoleUrl = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List what waits for a decision, and what is granted."""
    from console.standing import row  # noqa: PLC0415
    from sluicegate.cli.approvals_view import COLUMNS, cells, told_cells  # noqa: PLC0415

    rows: list[Any]
    if console or mine:
        states = "" if everything else "state=pending&state=approved&state=unread"
        query = "&".join(filter(None, (states, "mine=true" if mine else "")))
        found = asked(console, config, lambda rest: rest.approvals(query))
        rows = [each for each in reversed(found) if connection in ("", each["connection"])]
        print_json(rows) if as_json else print_table(COLUMNS, map(told_cells, rows), empty=_NONE)
        return
    wanted = [
        each
        for each in believed_here(config).values()
        if connection in ("", each.request["connection"]) and (everything or each.open)
    ]
    if as_json:
        print_json(map(row, wanted))
    else:
        print_table(COLUMNS, map(cells, wanted), empty=_NONE)


_NONE = "nothing waits for anybody"


@commands.command()
def show(
    approval_id: ApprovalId,
    console: ConsoleUrl = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Show what exactly is asked, and who has to agree."""
    from console.standing import row  # noqa: PLC0415
    from sluicegate.cli.approvals_view import facts, told_facts  # noqa: PLC0415

    if console:
        found = asked(console, config, lambda rest: rest.ask("GET", f"/api/approvals/{approval_id}"))
        print_json([found]) if as_json else print_table(("fact", "value"), told_facts(found), empty="")
        return
    standing = _standing(config, approval_id)
    if as_json:
        print_json([row(standing)])
    else:
        print_table(("fact", "value"), facts(standing), empty="")


@commands.command()
def approve(
    approval_id: ApprovalId,
    comment: Comment = "",
    wait: Wait = 10,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Let it run, as one of its reviewers; never what you asked for yourself."""
    _decide(approval_id, "approve", comment, wait, console=console, config=config)


@commands.command()
def deny(
    approval_id: ApprovalId,
    comment: Comment = "",
    wait: Wait = 10,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Refuse it, as one of its reviewers."""
    _decide(approval_id, "deny", comment, wait, console=console, config=config)


@commands.command()
def revoke(
    approval_id: ApprovalId,
    comment: Comment = "",
    wait: Wait = 10,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take back a request of your own, or a grant that is not used up."""
    _decide(approval_id, "revoke", comment, wait, console=console, config=config)


@commands.command()
def review(
    approval_id: ApprovalId,
    comment: Comment = "",
    wait: Wait = 10,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Say that you have looked at a broken glass, and what you found; it needs a comment."""
    _decide(approval_id, "review", comment, wait, console=console, config=config)


@commands.command()
def watch(
    console: ConsoleUrl = "",
    count: Annotated[int, typer.Option(min=0, help="Stop after so many changes; 0: never.")] = 0,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Tell every change as it happens, one a line, until it is interrupted."""
    from sluicegate.cli.approvals_watch import watch_approvals  # noqa: PLC0415

    watch_approvals(console, config, count, as_json=as_json)


commands.command()(approvals_delegate.delegate)
commands.command()(approvals_delegate.delegations)
commands.command()(approvals_delegate.undelegate)
commands.add_typer(approvals_access.commands, name="access")


def believed_here(config: Path) -> "dict[str, Standing]":
    """What the topics have, by id, the oldest first."""
    from sluicegate.cli.approvals_view import believed_standings  # noqa: PLC0415
    from sluicegate.cli.deciding import told_of_kafka  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    settings = settings_of(config)
    with told(KeyFileError):
        return told_of_kafka(believed_standings(kafka_of(settings), settings.data_dir))


def _standing(config: Path, approval_id: UUID) -> "Standing":
    found = believed_here(config).get(str(approval_id))
    if found is None:
        raise Failure(
            f"there is no approval {approval_id}; `sluicegate approvals list --all` shows those there are"
        )
    return found


def _decide(
    approval_id: UUID, verb: "DecisionVerb", comment: str, wait: float, *, console: str, config: Path
) -> None:
    if console:
        found = asked(console, config, lambda rest: rest.decide(str(approval_id), verb, comment))
        print_line(f"approval {approval_id} is {found['state']}")
        return
    decide_here(approval_id, verb, comment, wait, config)


def decide_here(approval_id: UUID, verb: "DecisionVerb", comment: str, wait: float, config: Path) -> None:
    """Decide as the user at this terminal, by the topics themselves; says what became of it, or fails."""
    from sluicegate.cli.approvals_decide import Word, decide_approval  # noqa: PLC0415
    from sluicegate.cli.deciding import told_of_kafka  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    request = _standing(config, approval_id).request
    settings = settings_of(config)
    with told(KeyFileError):
        word = Word(verb, comment, wait)
        answer = told_of_kafka(decide_approval(kafka_of(settings), settings.data_dir, request, word))
    if answer is None:
        raise Failure(
            f"it is written down, but nobody has answered within {wait:g} s; is a processor running? "
            f"See later with `sluicegate approvals show {approval_id}`"
        )
    if answer["refusal"]:
        raise Failure(f"it does not count: {answer['refusal']}; approval {approval_id} is {answer['state']}")
    print_line(f"approval {approval_id} is {answer['state']}")
