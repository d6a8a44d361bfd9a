"""What an unidentified client is told: a reason code, a text, and `WWW-Authenticate` (RFC 6750, RFC 9728)."""

from typing import Literal

from gateway.edge.identity.metadata import metadata_url
from gateway.edge.identity.trusted import TokenReason

ReasonCode = TokenReason | Literal["unauthenticated"]

_STATUS = {"insufficient_scope": 403, "identity_unavailable": 503}


class UnidentifiedError(Exception):
    """A request does not say who calls. `challenge` is the whole value of WWW-Authenticate; '' for none."""

    def __init__(self, reason_code: ReasonCode, detail: str, challenge: str) -> None:
        super().__init__(f"{reason_code}: {detail}")
        self.reason_code: ReasonCode = reason_code
        self.detail = detail
        self.challenge = challenge

    @property
    def status(self) -> int:
        """The HTTP status that goes with the reason."""
        return _STATUS.get(self.reason_code, 401)


def challenge(reason_code: ReasonCode, detail: str, resource: str, scopes: tuple[str, ...]) -> str:
    """The value of WWW-Authenticate for a refusal on `resource`; '' where a new token would not help.

    Without a token there is no `error` (RFC 6750, 3.1).
    """
    if reason_code == "identity_unavailable":
        return ""
    parts = [f'resource_metadata="{metadata_url(resource)}"']
    if reason_code != "unauthenticated":
        error = "insufficient_scope" if reason_code == "insufficient_scope" else "invalid_token"
        parts += [f'error="{error}"', f'error_description="{_quotable(detail)}"']
    if scopes:
        parts.append(f'scope="{" ".join(scopes)}"')
    return "Bearer " + ", ".join(parts)


def _quotable(text: str) -> str:
    """Only what RFC 6750, 3 allows in a description."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
