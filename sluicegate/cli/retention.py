"""`retention`: how long the trail is kept, who said so, and what must not go."""

from typing import Annotated
from uuid import UUID

import typer

from sluicegate.cli.approvals_asking import ConsoleUrl
from sluicegate.cli.failures import USAGE, Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, time_option
from sluicegate.cli.output import print_json, print_line

commands = typer.Typer(
    no_args_is_help=True,
    help="How long the trail is kept; changes need two people, one to confirm the other.",
)

Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
ProposalId = Annotated[UUID, typer.Argument(metavar="ID", help="The proposal's id.")]
Alone = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="There is nobody else: counts where retention.single_person is set, and stands on the record.",
    ),
]


@commands.command()
def show(as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """Show the rules in force, who confirmed them, what is held, and what waits for somebody to confirm it."""
    from sluicegate.cli.retention_acts import book_here  # noqa: PLC0415
    from sluicegate.cli.retention_view import lines, rows  # noqa: PLC0415

    standing = book_here(config)
    if as_json:
        print_json(rows(standing))
        return
    for line in lines(standing):
        print_line(line)


@commands.command()
def propose(*, reason: Reason, console: ConsoleUrl = "", config: ConfigFile = DEFAULT_FILE) -> None:
    """Propose what the configuration says under `retention`, in place of the rules in force."""
    from schemas.retention_content import rules_content  # noqa: PLC0415
    from sluicegate.cli.retention_acts import book_here, propose_it  # noqa: PLC0415

    standing = book_here(config)
    now = standing.book.in_force
    if now is not None and now.rules.same_as(standing.file):
        raise Failure("the file says what is in force; change `retention` in it first", USAGE)
    content = rules_content(now.rules.version if now else "", standing.file)
    for line in now.rules.shortened_by(standing.file) if now else []:
        print_line(f"shorter: {line}")
    propose_it(config, console, "rules", content, reason)


@commands.command()
def confirm(
    proposal_id: ProposalId,
    *,
    reason: Reason = "",
    alone: Alone = False,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Confirm what somebody else proposed: rules, a hold or its release. It is in force from then on."""
    from sluicegate.cli.retention_acts import book_here, confirm_it, proposal_in  # noqa: PLC0415

    if proposal_in(book_here(config), str(proposal_id)).act["kind"] == "erasure":
        raise Failure(
            "an erasure is confirmed with `sluicegate erase confirm`, where you say whose data", USAGE
        )
    confirm_it(config, console, str(proposal_id), reason, alone=alone)


@commands.command()
def withdraw(
    proposal_id: ProposalId,
    *,
    reason: Reason = "",
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take back what you proposed, while nobody has confirmed it."""
    from sluicegate.cli.retention_acts import withdraw_it  # noqa: PLC0415

    withdraw_it(config, console, str(proposal_id), reason)


@commands.command()
def hold(
    *,
    reason: Reason,
    connection: Annotated[str, typer.Option(help="Of this connection.")] = "",
    session: Annotated[UUID | None, typer.Option(metavar="ID", help="Of this session.")] = None,
    principal: Annotated[str, typer.Option(help="Of the caller with this subject.")] = "",
    issuer: Annotated[str, typer.Option(help="Of callers of this issuer (its URL).")] = "",
    since: Annotated[str, time_option("Recorded at this ISO time (UTC) or later.")] = "",
    until: Annotated[str, time_option("Recorded before this ISO time (UTC).")] = "",
    everything: Annotated[bool, typer.Option("--everything", help="The whole trail.")] = False,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Hold what fits all that is given: none of it goes from now on. It lapses after 7 days unless confirmed."""
    from schemas.retention_content import Hold, hold_content  # noqa: PLC0415
    from sluicegate.cli.retention_acts import micros, propose_it  # noqa: PLC0415

    wanted = Hold(connection, str(session or ""), issuer, principal, micros(since), micros(until))
    if (wanted == Hold()) != everything:
        raise Failure("say what to hold, or --everything alone", USAGE)
    propose_it(config, console, "hold", hold_content(wanted), reason)


@commands.command()
def release(
    hold_id: Annotated[UUID, typer.Argument(metavar="HOLD_ID", help="The id of the hold.")],
    *,
    reason: Reason,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Propose the end of a hold; it goes on until somebody else confirms that."""
    from schemas.retention_content import release_content  # noqa: PLC0415
    from sluicegate.cli.retention_acts import propose_it  # noqa: PLC0415

    propose_it(config, console, "release", release_content(str(hold_id)), reason)
