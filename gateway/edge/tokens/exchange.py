"""What a request for a session token comes to. Source: RFC 8693, section 2.

A subject token that is invalid, or unacceptable by policy, is `invalid_request` there (2.2.2), not `invalid_grant`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.edge.control import Control
from gateway.edge.identity import TokenError
from gateway.edge.tokens.answers import UNAVAILABLE, OAuthError
from gateway.edge.tokens.issuer import Issued, SessionTokenIssuer, TooLargeError
from gateway.sessions import NOBODY, Principal

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
PURPOSE_CHARACTERS_MAX = 500
NAME_CHARACTERS_MAX = 200

MayUse = Callable[[Principal, str], bool]
"""(principal, name of a connection) → whether it may use it; False for a name that no connection has."""


class Identity(Protocol):
    """What is asked of `gateway.edge.identity.Identity` here."""

    async def verify(self, token: str, resource: str) -> Principal:
        """Whom `token` names on `resource`. Raises TokenError."""
        ...


@dataclass(slots=True)
class Attempt:
    """What is known so far of a request, for its record."""

    peer: str
    principal: Principal = NOBODY
    target: str = ""
    purpose: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


class Exchange:
    """Decides on requests for session tokens."""

    def __init__(
        self, identity: Identity, issuer: SessionTokenIssuer, control: Control, may_use: MayUse
    ) -> None:
        self._identity = identity
        self._issuer = issuer
        self._control = control
        self._may_use = may_use

    async def decide(self, form: Mapping[str, str], attempt: Attempt) -> Issued:
        """The token for what `form` asks; fills `attempt` as it goes. Raises OAuthError."""
        _check_grant(form)
        attempt.target = connection = self._connection(form)
        attempt.purpose = self._purpose(form)
        subject_token = form.get("subject_token", "")
        if not subject_token:
            raise OAuthError("invalid_request", "subject_token is missing: send the token you have")
        attempt.principal = principal = await self._principal(subject_token, connection)
        self._check_principal(principal, connection)
        try:
            issued = self._issuer.give(principal, connection, attempt.purpose)
        except TokenError as error:
            raise OAuthError("invalid_request", error.detail, reason_code=error.reason_code) from None
        except TooLargeError as error:
            raise OAuthError("invalid_request", str(error), reason_code="token_too_large") from None
        attempt.detail = {"token_id": issued.token_id, "expires_at": issued.expires_at}
        return issued

    def _connection(self, form: Mapping[str, str]) -> str:
        named = {self._name(form[given]) for given in ("resource", "audience") if given in form}
        if not named:
            text = f"name the connection: resource={self._issuer.resource('NAME')}, or audience=NAME"
            raise OAuthError("invalid_request", text)
        if len(named) > 1:
            raise OAuthError("invalid_target", "resource and audience name different connections")
        return named.pop()

    def _name(self, text: str) -> str:
        """The name of a connection, given as such or as its URL."""
        name = self._issuer.connection_of(text.rstrip("/")) if "/" in text else text
        if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            known = self._issuer.resource("NAME")
            raise OAuthError("invalid_target", f"this is no connection of the gateway: write {known} or NAME")
        return name

    def _purpose(self, form: Mapping[str, str]) -> str:
        purpose = form.get("purpose", "").strip()
        if self._issuer.purpose_required and not purpose:
            text = "purpose is missing: say in a few words what the token is for; it goes on the record"
            raise OAuthError("invalid_request", text, reason_code="purpose_missing")
        if len(purpose) > PURPOSE_CHARACTERS_MAX or not purpose.isprintable():
            text = f"purpose must be one line of at most {PURPOSE_CHARACTERS_MAX} characters"
            raise OAuthError("invalid_request", text)
        return purpose

    async def _principal(self, token: str, connection: str) -> Principal:
        try:
            return await self._identity.verify(token, self._issuer.resource(connection))
        except TokenError as error:
            if error.reason_code == "identity_unavailable":
                raise OAuthError(UNAVAILABLE, error.detail, 503, reason_code=error.reason_code) from None
            text = f"subject_token: {error.detail}"
            raise OAuthError("invalid_request", text, reason_code=error.reason_code) from None

    def _check_principal(self, principal: Principal, connection: str) -> None:
        if principal.connection:
            text = "a session token cannot be exchanged again: send the token of your own provider"
            raise OAuthError("invalid_request", text, reason_code="session_token_exchanged")
        if self._control.revoked(principal.credential):
            text = "subject_token was revoked; log in again"
            raise OAuthError("invalid_request", text, reason_code="token_revoked")
        if reason := self._control.blocked(principal):
            raise OAuthError("invalid_request", f"blocked: {reason}", reason_code="principal_blocked")
        if not self._may_use(principal, connection):
            text = "there is no connection of this name that you may use"
            raise OAuthError("invalid_target", text, reason_code="access_denied")


def _check_grant(form: Mapping[str, str]) -> None:
    grant = form.get("grant_type", "")
    if not grant:
        raise OAuthError("invalid_request", f"grant_type is missing: write {GRANT}")
    if grant != GRANT:
        raise OAuthError("unsupported_grant_type", f"only {GRANT} is possible here")
    if form.get("subject_token_type", "") not in (ACCESS_TOKEN, _JWT):
        raise OAuthError("invalid_request", f"subject_token_type must be {ACCESS_TOKEN} or {_JWT}")
    if form.get("requested_token_type", ACCESS_TOKEN) not in (ACCESS_TOKEN, _JWT):
        raise OAuthError("invalid_request", f"requested_token_type must be {ACCESS_TOKEN}, or left out")
    if "actor_token" in form or "actor_token_type" in form:
        raise OAuthError("invalid_request", "acting for somebody else is not possible: leave actor_token out")
    if "scope" in form:
        raise OAuthError("invalid_scope", "session tokens carry no scopes: leave scope out")
