"""What takes two settings to know of the credentials of clouds, and of those of this gateway."""

from collections.abc import Iterator

from sluicegate.settings.cloud import SUBJECT, AwsBlock, CloudBlock, SessionTokenBlock
from sluicegate.settings.model import Settings
from sluicegate.settings.source import Loc

Fault = tuple[Loc, str]
CHAINED_SECONDS_MAX = 3600  # AWS: "role chaining"


def cloud_faults(block: CloudBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    """Everything wrong with one credential under an identity mode."""
    if isinstance(block, AwsBlock):
        yield from _base(block, loc)
        yield from _roles(block, (*loc, "roles"), mode)
    if isinstance(block, SessionTokenBlock) and mode == "none":
        yield (
            (*loc, "kind"),
            "without identity there is no caller to give a token to; set `identity.mode: oidc`",
        )


def session_token_faults(settings: Settings) -> Iterator[Fault]:
    """Tokens for connections that there are not, or of a gateway that gives none."""
    names = {connection.name for connection in settings.connections}
    for index, connection in enumerate(settings.connections):
        block = connection.credential
        if not isinstance(block, SessionTokenBlock):
            continue
        loc: Loc = ("connections", index, "credential")
        if block.connection not in names:
            yield (*loc, "connection"), "there is no such connection; name one of this file"
        if block.connection == connection.name:
            yield (*loc, "connection"), "is this connection itself; name the one that its upstream calls"
        if settings.identity.mode == "oidc" and settings.identity.session_tokens is None:
            yield (*loc, "kind"), "needs the gateway's own tokens; write `identity.session_tokens: {}`"


def _base(block: AwsBlock, loc: Loc) -> Iterator[Fault]:
    if block.web_identity_token_file and not block.roles:
        yield (*loc, "web_identity_token_file"), "is what a role is assumed with; name it in `roles`"
    if block.web_identity_token_file and block.profile:
        yield (*loc, "profile"), "says who comes first, and so does `web_identity_token_file`; keep one"


def _roles(block: AwsBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    for index, role in enumerate(block.roles):
        if index and role.seconds > CHAINED_SECONDS_MAX:
            yield (
                (*loc, index, "seconds"),
                "AWS gives a role assumed by a role 3600 seconds at most; write less",
            )
        if SUBJECT in role.session_name and mode == "none":
            yield (
                (*loc, index, "session_name"),
                "without identity everyone is `anonymous`; set `identity.mode: oidc`, or remove `{subject}`",
            )
