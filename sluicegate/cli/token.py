"""`token`: a session token for scripts. `tokens revoke`: takes one back by its id."""

import sys
from typing import Annotated

import typer

from sluicegate.cli.deciding import carry_out
from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile
from sluicegate.cli.output import print_line
from sluicegate.cli.quiet import run_quietly

commands = typer.Typer(no_args_is_help=True, help="Session tokens that were given.")


def token(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the connection.")],
    *,
    purpose: Annotated[
        str,
        typer.Option(metavar="TEXT", help="What for; by default what was given last for this connection."),
    ] = "",
    issuer: Annotated[str, typer.Option(metavar="URL", help="The login at this issuer.")] = "",
    gateway: Annotated[str, typer.Option(metavar="URL", help="The login for this gateway.")] = "",
) -> None:
    """Print a fresh session token for a connection, from the latest login; nothing else goes to standard output."""
    from sluicegate.cli.login import fresh_token  # noqa: PLC0415
    from sluicegate.login.http import LoginError  # noqa: PLC0415
    from sluicegate.login.store import Logins, tokens_file  # noqa: PLC0415

    with told(LoginError, OSError):
        login = Logins(tokens_file()).find(issuer, gateway.rstrip("/"))
        found, _seconds = run_quietly(fresh_token(login, connection, purpose))
    sys.stdout.write(f"{found}\n")


@commands.command()
def revoke(
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="The token's id (jti), never the token itself.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take a token back: it is refused from now on, and its streams end."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from schemas.control import token_revoked  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision, operator  # noqa: PLC0415

    if not token_id or token_id.count(".") == 2 or len(token_id) > 255:
        raise Failure(
            "give the token's id (jti), not the token: `sluicegate admin list --action token.issue`", USAGE
        )
    record = token_revoked(stamp(), token_id, by=str(operator()), reason=reason)
    carry_out(config, Decision("token.revoke", token_id, reason, [(record["target"], record)]))
    print_line(f"token {token_id} is taken back")
