"""`erase`: a person's data go out of the rows of the trail; the rows, and their digests, stay."""

from typing import Annotated
from uuid import UUID

import typer

from sluicegate.cli.approvals_asking import ConsoleUrl
from sluicegate.cli.failures import USAGE, Failure
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile
from sluicegate.cli.retention import Alone, ProposalId, Reason

commands = typer.Typer(
    no_args_is_help=True, help="Taking a person's data out of the trail; it needs two people."
)

Principal = Annotated[
    str,
    typer.Option(metavar="SUBJECT", help="The person, by the subject of the caller as the trail names it."),
]
Issuer = Annotated[str, typer.Option(metavar="URL", help="The caller's issuer, as the trail names it.")]
Session = Annotated[UUID | None, typer.Option(metavar="ID", help="This session, whoever it was.")]


@commands.command()
def propose(
    *,
    reason: Reason,
    principal: Principal = "",
    issuer: Issuer = "",
    session: Session = None,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Propose to erase a person's data, or those of one session.

    The record has a mark of the person, which only this deployment can tell, and not the name.
    """
    from schemas.retention_content import erasure_content  # noqa: PLC0415
    from sluicegate.cli.retention_acts import erasure_of, propose_it  # noqa: PLC0415

    wanted = erasure_of(config, issuer, principal, session)
    propose_it(config, console, "erasure", erasure_content(wanted), reason)


@commands.command()
def confirm(
    proposal_id: ProposalId,
    *,
    reason: Reason = "",
    principal: Principal = "",
    issuer: Issuer = "",
    session: Session = None,
    alone: Alone = False,
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Confirm an erasure that somebody else proposed: say yourself whose data it is about."""
    from sluicegate.cli.retention_acts import book_here, confirm_it, erasure_of, proposal_in  # noqa: PLC0415

    known = proposal_in(book_here(config), str(proposal_id))
    if known.act["kind"] != "erasure" or known.content != erasure_of(config, issuer, principal, session):
        raise Failure(
            f"proposal {proposal_id} is not about that person or session; ask who proposed it", USAGE
        )
    confirm_it(config, console, str(proposal_id), reason, alone=alone)
