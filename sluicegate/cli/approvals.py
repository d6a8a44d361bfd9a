"""`approvals`: what waits for a person, and the person's word."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import Failure, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, kafka_of, settings_of
from sluicegate.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from schemas.approvals import DecisionVerb
    from sluicegate.cli.approvals_view import Standing

commands = typer.Typer(no_args_is_help=True, help="Calls that wait for a person, and grants that hold.")

ApprovalId = Annotated[UUID, typer.Argument(metavar="ID", help="The approval's id.")]
Comment = Annotated[str, typer.Option(help="Why; whoever asked is told, and it stands on the record.")]
Wait = Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the answer.", min=0)]


@commands.command("list")
def list_approvals(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    connection: Annotated[str, typer.Option(help="Of this connection.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List what waits for a decision, and what is granted."""
    from sluicegate.cli.approvals_view import COLUMNS, OPEN, cells, row  # noqa: PLC0415

    wanted = [
        each
        for each in _standings(config).values()
        if connection in ("", each.request["connection"]) and (everything or each.state in (*OPEN, "unread"))
    ]
    if as_json:
        print_json(map(row, wanted))
    else:
        print_table(COLUMNS, map(cells, wanted), empty="nothing waits for anybody")


@commands.command()
def show(approval_id: ApprovalId, as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """Show what exactly is asked, and who has to agree."""
    from sluicegate.cli.approvals_view import facts, row  # noqa: PLC0415

    standing = _standing(config, approval_id)
    if as_json:
        print_json([row(standing)])
    else:
        print_table(("fact", "value"), facts(standing), empty="")


@commands.command()
def approve(
    approval_id: ApprovalId, comment: Comment = "", wait: Wait = 10, config: ConfigFile = DEFAULT_FILE
) -> None:
    """Let it run, as one of its reviewers; never what you asked for yourself."""
    _decide(config, approval_id, "approve", comment, wait)


@commands.command()
def deny(
    approval_id: ApprovalId, comment: Comment = "", wait: Wait = 10, config: ConfigFile = DEFAULT_FILE
) -> None:
    """Refuse it, as one of its reviewers."""
    _decide(config, approval_id, "deny", comment, wait)


@commands.command()
def revoke(
    approval_id: ApprovalId, comment: Comment = "", wait: Wait = 10, config: ConfigFile = DEFAULT_FILE
) -> None:
    """Take back a request of your own, or a grant that is not used up."""
    _decide(config, approval_id, "revoke", comment, wait)


def _standings(config: Path) -> "dict[str, Standing]":
    from sluicegate.cli.approvals_view import standings  # noqa: PLC0415
    from sluicegate.cli.deciding import told_of_kafka  # noqa: PLC0415
    from sluicegate.settings.keys import KeyFileError  # noqa: PLC0415

    settings = settings_of(config)
    with told(KeyFileError):
        return told_of_kafka(standings(kafka_of(settings), settings.data_dir))


def _standing(config: Path, approval_id: UUID) -> "Standing":
    found = _standings(config).get(str(approval_id))
    if found is None:
        raise Failure(
            f"there is no approval {approval_id}; `sluicegate approvals list --all` shows those there are"
        )
    return found


def _decide(config: Path, approval_id: UUID, verb: "DecisionVerb", comment: str, wait: float) -> None:
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
