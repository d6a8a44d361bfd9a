"""`login`: a person logs in at an issuer, in a browser anywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, settings_of
from sluicegate.cli.output import print_line
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from sluicegate.login.device import Asked, Show
    from sluicegate.login.http import OAuthClient
    from sluicegate.login.store import Login

CLIENT_ID = "sluicegate"
SCOPE = "openid offline_access"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody logs in, and for which gateway; `ca_file` vouches for the issuer, None: the system's."""

    issuer: str
    gateway: str
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """As whom the program asks, and for what."""

    client_id: str
    scope: str
    connection: str
    purpose: str
    named: bool = True  # whether the issuer is told what for (RFC 8707)


def login(
    *,
    issuer: Annotated[
        str,
        typer.Option(
            metavar="ISSUER", help="Its name in the configuration, or its URL (then with --gateway)."
        ),
    ],
    gateway: Annotated[
        str, typer.Option(metavar="URL", help="The gateway; by default identity.public_url.")
    ] = "",
    connection: Annotated[
        str, typer.Option(metavar="NAME", help="Try at once whether the gateway gives a token for it.")
    ] = "",
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="What for; it is on the record.")] = "",
    client_id: Annotated[str, typer.Option(help="How the issuer knows this program.")] = CLIENT_ID,
    scope: Annotated[str, typer.Option(help="What the issuer is asked for.")] = SCOPE,
    no_resource: Annotated[
        bool, typer.Option("--no-resource", help="Do not name the connection to the issuer (RFC 8707).")
    ] = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Log in by a code that you confirm in a browser; `sluicegate token` then gives tokens."""
    from sluicegate.login.http import LoginError  # noqa: PLC0415

    place = place_of(config, issuer, gateway)
    wish = Wish(client_id, scope, connection, purpose, named=not no_resource)
    with told(LoginError, OSError):
        seconds = run_quietly(_login(place, wish))
    print_line(f"logged in at {place.issuer}")
    if connection:
        print_line(
            f"the gateway gives tokens for {connection}, good for {seconds} s: sluicegate token {connection}"
        )


def place_of(config: Path, issuer: str, gateway: str) -> Place:
    """Where to log in; the configuration is read only for what the options leave open."""
    if "://" in issuer and gateway:
        return Place(issuer, gateway.rstrip("/"))
    identity = settings_of(config).identity
    url = (gateway or identity.public_url or "").rstrip("/")
    if not url:
        raise Failure(
            "the configuration has no identity.public_url; name the gateway with --gateway URL", USAGE
        )
    for block in identity.issuers:
        if issuer in (block.name, block.issuer):
            return Place(block.issuer, url, block.ca_file)
    if "://" in issuer:
        return Place(issuer, url)
    names = ", ".join(block.name for block in identity.issuers) or "none"
    raise Failure(f"the configuration has no issuer {issuer} (it has: {names})", USAGE)


async def _login(place: Place, wish: Wish) -> int:
    """Logs in and keeps what was given; for how many seconds a session token is good, 0 where none was wanted."""
    done = await logged_in(place, wish, await _resource(place, wish), _show)
    if not wish.connection:
        return 0
    return (await fresh_token(done, wish.connection, wish.purpose))[1]


async def _resource(place: Place, wish: Wish) -> str:
    """What the issuer is told that the token is for; '' for nothing."""
    from sluicegate.login.gateway import resource_named  # noqa: PLC0415
    from sluicegate.login.http import OAuthClient  # noqa: PLC0415

    if not wish.connection or not wish.named:
        return ""
    async with OAuthClient() as http:
        found = await resource_named(http, place.gateway, wish.connection)
    return found.url if found else f"{place.gateway}/mcp/{wish.connection}"


async def logged_in(place: Place, wish: Wish, resource: str, show: "Show") -> "Login":
    """The login of the person who confirms the code that `show` shows; it is kept. Raises LoginError."""
    from sluicegate.login.device import DeviceFlow, discover  # noqa: PLC0415
    from sluicegate.login.http import OAuthClient, check_url  # noqa: PLC0415
    from sluicegate.login.store import Login, Logins, tokens_file  # noqa: PLC0415

    check_url(place.gateway)
    async with OAuthClient(place.ca_file) as http:
        endpoints = await discover(http, place.issuer)
        flow = DeviceFlow(http, endpoints, wish.client_id, show=show)
        given = await flow.run(wish.scope, resource)
    done = Login(
        place.issuer,
        place.gateway,
        wish.client_id,
        endpoints.token,
        given.access_token,
        given.expires_at,
        given.refresh_token,
        str(place.ca_file or ""),
    )
    logins = Logins(tokens_file())
    with logins.locked():
        logins.keep(done)
    return done


def _show(asked: "Asked") -> None:
    print_line(f"open {asked.url} in a browser and enter the code {asked.code}")
    if asked.url_with_code:
        print_line(f"or open {asked.url_with_code}")


async def fresh_token(
    login: "Login", connection: str, purpose: str, *, http: "OAuthClient | None" = None
) -> tuple[str, int]:
    """(session token, seconds it is good for), the login refreshed where it was at its end and kept.

    Without a purpose that of the last time is given. `http` is for the gateway. Raises LoginError.
    """
    from sluicegate.login.gateway import session_token  # noqa: PLC0415
    from sluicegate.login.http import OAuthClient  # noqa: PLC0415
    from sluicegate.login.refresh import refreshed_login  # noqa: PLC0415
    from sluicegate.login.store import Logins, tokens_file  # noqa: PLC0415

    logins = Logins(tokens_file())
    with logins.locked():
        current = await refreshed_login(logins, logins.find(login.issuer, login.gateway))
        why = purpose or current.purposes.get(connection, "")
        async with http or OAuthClient() as gate:
            found = await session_token(gate, current.gateway, current.access_token, connection, why)
        if current.purposes.get(connection, "") != why:
            current.purposes[connection] = why
            logins.keep(current)
    return found
