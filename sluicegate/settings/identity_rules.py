"""What takes two settings to know of who may call, and from where."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from sluicegate.settings.addresses import is_loopback, split_address
from sluicegate.settings.connection_rules import Fault, file_faults
from sluicegate.settings.identity import IdentityBlock, IssuerBlock
from sluicegate.settings.model import Settings
from sluicegate.settings.source import Loc

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def identity_faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong with `identity`, and with addresses and names that depend on it."""
    yield from _addresses(settings)
    yield from _mode(settings.identity)
    yield from _issuers(settings.identity)
    yield from _server_tls(settings)
    yield from _hosts(settings)


def _addresses(settings: Settings) -> Iterator[Fault]:
    if settings.identity.mode == "none" and not is_loopback(settings.gateway.listen):
        yield (
            ("gateway", "listen"),
            "`identity: {mode: none}` asks nobody who they are, so only a loopback address may be listened on: "
            "write 127.0.0.1, or ask with `mode: oidc`",
        )
    if not is_loopback(settings.console.listen):
        yield (
            ("console", "listen"),
            "the query API asks nobody who they are, it has one token for all; so only a loopback address may be "
            "listened on: write 127.0.0.1",
        )


def _mode(identity: IdentityBlock) -> Iterator[Fault]:
    where = ("identity", "mode")
    if identity.mode == "oidc":
        if not identity.public_url:
            yield (
                where,
                "`oidc` needs `public_url`, how clients reach this gateway: `public_url: https://gateway.example.com`",
            )
        if not identity.issuers:
            yield (
                where,
                "`oidc` needs `issuers`: `issuers: [{name: people, issuer: https://id.example.com/}]`",
            )
        return
    for name in ("issuers", "session_tokens"):
        if getattr(identity, name):
            yield ("identity", name), "with `mode: none` nobody is asked for a token; write `mode: oidc`"


def _issuers(identity: IdentityBlock) -> Iterator[Fault]:
    names: set[str] = set()
    issuers: set[str] = set()
    for index, issuer in enumerate(identity.issuers):
        loc: Loc = ("identity", "issuers", index)
        if issuer.name in names:
            yield (*loc, "name"), "an issuer of this name stands above already; give this one another name"
        if issuer.issuer in issuers:
            yield (*loc, "issuer"), "stands above already; make one entry of the two"
        names.add(issuer.name)
        issuers.add(issuer.issuer)
        yield from _issuer(issuer, loc)


def _issuer(issuer: IssuerBlock, loc: Loc) -> Iterator[Fault]:
    if issuer.jwks_url and issuer.jwks_file:
        yield (*loc, "jwks_file"), "keys come from either `jwks_url` or `jwks_file`; remove one"
    for name in ("jwks_file", "ca_file"):
        path = getattr(issuer, name)
        if path:
            yield from file_faults(path, (*loc, name))
    if issuer.keys_stale_seconds < issuer.keys_fresh_seconds:
        yield (*loc, "keys_stale_seconds"), "is less than `keys_fresh_seconds`; raise it, or lower that"


def _server_tls(settings: Settings) -> Iterator[Fault]:
    tls = settings.gateway.tls
    if tls is None:
        return
    for name in ("certificate_file", "key_file"):
        yield from file_faults(getattr(tls, name), ("gateway", "tls", name))
    if (settings.identity.public_url or "").startswith("http:"):
        yield (
            ("identity", "public_url"),
            "is http, and `gateway.tls` makes the gateway speak https; write https",
        )


def _hosts(settings: Settings) -> Iterator[Fault]:
    """A host route must not take requests that are for the gateway itself, or for another connection."""
    listen, _ = split_address(settings.gateway.listen)
    public = urlsplit(settings.identity.public_url or "").hostname or ""
    taken = dict.fromkeys([*LOOPBACK_NAMES, listen.lower(), public], "the gateway's own")
    taken |= dict.fromkeys(settings.gateway.hosts, "the gateway's own (`gateway.hosts`)")
    for index, connection in enumerate(settings.connections):
        if connection.host is None:
            continue
        if connection.host in taken:
            yield (
                ("connections", index, "host"),
                f"is {taken[connection.host]}; give the connection another name",
            )
        taken[connection.host] = f"that of connection `{connection.name}`"
