"""`exec-credential`: what a kubeconfig runs to get a token. Standard output is the credential alone."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import told
from sluicegate.cli.login import CLIENT_ID, SCOPE, Place, Wish, fresh_token, logged_in
from sluicegate.cli.output import inert
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from sluicegate.login.device import Asked
    from sluicegate.login.exec_protocol import ExecInfo
    from sluicegate.login.http import OAuthClient
    from sluicegate.login.store import Login

TOKEN_VARIABLE = "SLUICEGATE_TOKEN"

Shown = tuple[str, float | None]
"""(token, when it ends as Unix seconds; None where that is not known)"""


@dataclass(frozen=True, slots=True)
class Plan:
    """For which connection of which gateway a token is wanted, and from where. `issuer` is '' for any;
    `ca_file` vouches for the gateway."""

    connection: str
    gateway: str
    issuer: str
    purpose: str
    client_id: str
    scope: str
    issuer_ca: Path | None
    ca_file: Path | None
    token: str


def exec_credential(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the connection.")],
    *,
    gateway: Annotated[str, typer.Option(metavar="URL", help="The gateway.")],
    issuer: Annotated[
        str, typer.Option(metavar="URL", help="Where to log in; by default as the gateway says.")
    ] = "",
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="What for; it is on the record.")] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Take the token in this file, for a job that nobody logs in for; also ${TOKEN_VARIABLE}.",
        ),
    ] = None,
    client_id: Annotated[str, typer.Option(help="How the issuer knows this program.")] = CLIENT_ID,
    scope: Annotated[str, typer.Option(help="What the issuer is asked for.")] = SCOPE,
    issuer_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificates that vouch for the issuer (PEM).")
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Certificates that vouch for the gateway (PEM); by default the kubeconfig's."
        ),
    ] = None,
) -> None:
    """Print a token for kubectl, as a kubeconfig of `sluicegate kubeconfig` asks for it.

    A login that is at its end is refreshed. Where there is none, you are asked to log in, if somebody is there.
    """
    from sluicegate.login.exec_protocol import VARIABLE, exec_info  # noqa: PLC0415
    from sluicegate.login.exec_protocol import exec_credential as answer  # noqa: PLC0415
    from sluicegate.login.http import LoginError  # noqa: PLC0415

    with told(LoginError, OSError):
        info = exec_info(os.environ.get(VARIABLE, ""))
        plan = Plan(
            connection,
            gateway.rstrip("/"),
            issuer,
            purpose,
            client_id,
            scope,
            issuer_ca,
            ca_file,
            _token(token_file),
        )
        token, expires_at = run_quietly(_shown(plan, info))
    sys.stdout.write(answer(info, token, expires_at) + "\n")


def _token(file: Path | None) -> str:
    """The token that was handed over; '' for none. Raises LoginError."""
    from sluicegate.login.http import LoginError  # noqa: PLC0415

    if file is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip()
    try:
        found = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise LoginError(
            f"{file} cannot be read: {getattr(exc, 'strerror', None) or 'it is no text'}"
        ) from exc
    if not found:
        raise LoginError(f"{file} is empty: it is to hold a token")
    return found


async def _shown(plan: Plan, info: "ExecInfo") -> Shown:
    from sluicegate.login.http import LoggedOutError  # noqa: PLC0415

    if plan.token:
        return await _exchanged(plan, info)
    try:
        return await _of_login(plan, info)
    except LoggedOutError as error:
        if not info.interactive:
            raise LoggedOutError(_advice(plan, str(error))) from error
        login = await _logged_in(plan, info)
    return await _of_login(plan, info, login)


async def _exchanged(plan: Plan, info: "ExecInfo") -> Shown:
    """A session token for the one that was handed over; that itself where it is one, or none are given."""
    from sluicegate.login.exec_protocol import claims_of, expiry  # noqa: PLC0415
    from sluicegate.login.gateway import NoSessionTokensError, session_token  # noqa: PLC0415

    claims = claims_of(plan.token)
    if claims.get("iss") == plan.gateway:
        return plan.token, expiry(claims)
    asked_at = time.time()
    try:
        async with _http(plan, info) as http:
            found, seconds = await session_token(
                http, plan.gateway, plan.token, plan.connection, plan.purpose
            )
    except NoSessionTokensError:
        return plan.token, expiry(claims)
    return found, asked_at + seconds


async def _of_login(plan: Plan, info: "ExecInfo", login: "Login | None" = None) -> Shown:
    """A session token by a login that is kept; its access token where the gateway gives none."""
    from sluicegate.login.gateway import NoSessionTokensError  # noqa: PLC0415
    from sluicegate.login.store import Logins, tokens_file  # noqa: PLC0415

    logins = Logins(tokens_file())
    login = login or logins.find(plan.issuer, plan.gateway)
    asked_at = time.time()
    try:
        found, seconds = await fresh_token(login, plan.connection, plan.purpose, http=_http(plan, info))
    except NoSessionTokensError:
        current = logins.find(login.issuer, login.gateway)  # refreshed by now
        return current.access_token, current.expires_at
    return found, asked_at + seconds


async def _logged_in(plan: Plan, info: "ExecInfo") -> "Login":
    """A person logs in; what they are to do goes to standard error. Raises LoginError."""
    from sluicegate.login.gateway import resource_named  # noqa: PLC0415
    from sluicegate.login.http import LoginError  # noqa: PLC0415

    async with _http(plan, info) as http:
        resource = await resource_named(http, plan.gateway, plan.connection)
    if resource is None:
        raise LoginError(
            f"the gateway {plan.gateway} asks nobody to log in for a connection {plan.connection}; is its name right?"
        )
    issuers = (plan.issuer,) if plan.issuer else resource.issuers
    if len(issuers) != 1:
        known = ", ".join(issuers) or "none"
        raise LoginError(f"name the issuer with --issuer URL (the gateway says: {known})")
    wish = Wish(plan.client_id, plan.scope, plan.connection, plan.purpose)
    return await logged_in(Place(issuers[0], plan.gateway, plan.issuer_ca), wish, resource.url, _show)


def _show(asked: "Asked") -> None:
    typer.echo(inert(f"open {asked.url} in a browser and enter the code {asked.code}"), err=True)
    if asked.url_with_code:
        typer.echo(inert(f"or open {asked.url_with_code}"), err=True)


def _advice(plan: Plan, why: str) -> str:
    """What to do where nobody is there to log in."""
    issuer = plan.issuer or "ISSUER"
    return (
        f"{why.partition(';')[0]}; nobody is here to log in. In a terminal: "
        f"sluicegate login --issuer {issuer} --gateway {plan.gateway} --connection {plan.connection}. "
        f"For a job: --token-file FILE, or the token in {TOKEN_VARIABLE}"
    )


def _http(plan: Plan, info: "ExecInfo") -> "OAuthClient":
    """HTTP towards the gateway, by the certificates that the kubeconfig has for it."""
    from sluicegate.login.http import OAuthClient  # noqa: PLC0415

    return OAuthClient(plan.ca_file, "" if plan.ca_file else info.ca_pem)
