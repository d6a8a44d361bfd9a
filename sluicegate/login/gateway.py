"""What a gateway is asked: session tokens, and which resource a connection of it is to issuers."""

from dataclasses import dataclass

from sluicegate.login.http import Answer, LoginError, OAuthClient

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_METADATA = "/.well-known/oauth-protected-resource"
_SERVED_UNDER = ("mcp", "k8s", "http")


class NoSessionTokensError(LoginError):
    """The gateway gives no session tokens: it takes those of its issuers alone."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A connection as the gateway describes it (RFC 9728): its URL, and who gives tokens for it."""

    url: str
    issuers: tuple[str, ...]


async def session_token(
    http: OAuthClient, gateway: str, subject_token: str, connection: str, purpose: str
) -> tuple[str, int]:
    """(token, seconds it is good for) for `connection` at the gateway with this URL. Raises LoginError."""
    form = {
        "grant_type": GRANT,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "audience": connection,
        "purpose": purpose,
    }
    answer = await http.post(f"{gateway.rstrip('/')}/token", form)
    token, seconds = answer.text("access_token"), answer.content.get("expires_in")
    if answer.status != 200 or not token or not isinstance(seconds, int):
        raise _refused(answer, gateway, connection)
    return token, seconds


async def resource_named(http: OAuthClient, gateway: str, connection: str) -> Resource | None:
    """The connection of this name; None when the gateway has none, or asks nobody who they are. Raises LoginError."""
    root = gateway.rstrip("/")
    for place in _SERVED_UNDER:
        found = await _resource_at(http, root, f"/{place}/{connection}")
        if found is not None:
            return found
    return None


async def _resource_at(http: OAuthClient, root: str, path: str) -> Resource | None:
    answer = await http.get(f"{root}{_METADATA}{path}")
    url = answer.text("resource")
    if answer.status != 200 or url != f"{root}{path}":
        return None
    issuers = answer.content.get("authorization_servers")
    listed = issuers if isinstance(issuers, list) else []
    return Resource(url, tuple(issuer for issuer in listed if isinstance(issuer, str)))


def _refused(answer: Answer, gateway: str, connection: str) -> LoginError:
    if answer.status == 404:
        return NoSessionTokensError(
            f"the gateway {gateway} gives no session tokens; set identity.session_tokens in its configuration"
        )
    advice = "; say why with --purpose" if "purpose is missing" in answer.text("error_description") else ""
    return LoginError(f"the gateway gives no token for {connection}: {answer.said()}{advice}")
