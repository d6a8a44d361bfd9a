"""What takes two settings to know of the console's pages."""

from collections.abc import Iterator

from schemas.durations import DAY, seconds_in
from sluicegate.settings.connection_rules import Fault, file_faults, secret_faults
from sluicegate.settings.model import Settings
from sluicegate.settings.source import Loc


def web_faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong with `web`."""
    yield from _logins(settings)
    yield from _teams(settings)
    block = settings.web
    if not 60 <= seconds_in(block.idle) <= seconds_in(block.longest):
        yield ("web", "idle"), "is at least 1m and at most as long as `longest`"
    if seconds_in(block.longest) > 7 * DAY:
        yield ("web", "longest"), "is at most 7d"


def _logins(settings: Settings) -> Iterator[Fault]:
    block, none = settings.web, settings.identity.mode == "none"
    for name, login in (("login", block.login), ("saml", block.saml)):
        if login is None:
            continue
        if none:
            yield (
                ("web", name),
                "with `identity: {mode: none}` the terminal's user logs in by the printed link",
            )
        yield from _issuer(settings, login.issuer, ("web", name, "issuer"), needed=name == "login")
    if block.login and block.login.client_secret:
        yield from secret_faults(block.login.client_secret, ("web", "login", "client_secret"))
    if block.login and "openid" not in block.login.scopes:
        yield (
            ("web", "login", "scopes"),
            "lacks `openid`, without which the provider does not say who logs in",
        )
    if block.saml:
        for index, path in enumerate(block.saml.certificate_files):
            yield from file_faults(path, ("web", "saml", "certificate_files", index))


def _issuer(settings: Settings, name: str | None, loc: Loc, *, needed: bool) -> Iterator[Fault]:
    names = [issuer.name for issuer in settings.identity.issuers]
    if name is None:
        if needed and len(names) > 1:
            yield loc, f"names one of {', '.join(f'`{each}`' for each in names)}"
    elif name not in names:
        yield loc, "is none of `identity.issuers`"


def _teams(settings: Settings) -> Iterator[Fault]:
    known = {connection.name for connection in settings.connections}
    seen: set[str] = set()
    for index, team in enumerate(settings.web.teams):
        loc: Loc = ("web", "teams", index)
        if team.name in seen:
            yield (*loc, "name"), "a team of this name stands above already; make one of the two"
        seen.add(team.name)
        for number, name in enumerate(team.connections):
            if name not in known:
                yield (*loc, "connections", number), f"there is no connection `{name}`"
