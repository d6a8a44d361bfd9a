"""`POST /token` and `POST /token/revoke`: no answer before the record of it is acknowledged."""

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.edge.announce import Announcer, stamp
from gateway.edge.control import Control
from gateway.edge.identity import TokenError
from gateway.edge.tokens.answers import OAuthError, answer, audit_unavailable, refusal
from gateway.edge.tokens.exchange import ACCESS_TOKEN, Attempt, Exchange, Identity, MayUse
from gateway.edge.tokens.form import form_of
from gateway.edge.tokens.issuer import SessionTokenIssuer
from gateway.edge.tokens.metrics import METRICS
from gateway.edge.tokens.strangers import Strangers
from gateway.sessions import NOBODY, Principal
from schemas.admin import Actor, Outcome, admin_record
from schemas.control import token_revoked

TOKEN_PATH, REVOKE_PATH = "/token", "/token/revoke"


class TokenEndpoint:
    """The routes of session tokens. One a process."""

    def __init__(
        self,
        *,
        identity: Identity,
        issuer: SessionTokenIssuer,
        control: Control,
        announcer: Announcer,
        may_use: MayUse,
    ) -> None:
        self._exchange = Exchange(identity, issuer, control, may_use)
        self._issuer = issuer
        self._control = control
        self._announcer = announcer
        self._strangers = Strangers()

    def routes(self) -> list[Route]:
        """What Starlette serves."""
        return [
            Route(TOKEN_PATH, self.token, methods=["POST"]),
            Route(REVOKE_PATH, self.revoke, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """Gives a session token for a valid one (RFC 8693)."""
        attempt = Attempt(_peer(request))
        try:
            issued = await self._exchange.decide(await form_of(request), attempt)
            await self._record(attempt, "token.issue", "done", reason=attempt.purpose)
        except OAuthError as error:
            return await self._refuse(attempt, "token.refuse", error)
        return answer(
            {
                "access_token": issued.token,
                "issued_token_type": ACCESS_TOKEN,
                "token_type": "Bearer",
                "expires_in": max(1, int(issued.expires_at - time.time())),
            }
        )

    async def revoke(self, request: Request) -> Response:
        """Takes back the session token that is sent (RFC 7009): who has it may end it."""
        attempt = Attempt(_peer(request))
        try:
            token = (await form_of(request)).get("token", "")
            if not token:
                raise OAuthError("invalid_request", "token is missing: send the session token to take back")
            await self._revoke(token, attempt)
        except OAuthError as error:
            return await self._refuse(attempt, "token.revoke", error)
        return answer(None)

    async def _revoke(self, token: str, attempt: Attempt) -> None:
        """A token that is good for nothing is answered as one that was taken back (RFC 7009, 2.2)."""
        try:
            principal = self._issuer.verify(token)
        except TokenError as error:
            attempt.detail = {"reason_code": error.reason_code}
            await self._record(attempt, "token.revoke", "refused", reason=error.detail)
            return
        attempt.principal, attempt.target = principal, principal.credential
        await self._record(attempt, "token.revoke", "asked")
        if not await self._take_back(principal):
            raise audit_unavailable()
        await self._record(attempt, "token.revoke", "done")

    async def _take_back(self, principal: Principal) -> bool:
        if self._control.revoked(principal.credential):
            return True
        by, ends = str(_actor(principal)), int(principal.expires_at * 1_000_000)
        reason = "taken back by its holder"
        record = token_revoked(stamp(), principal.credential, by=by, reason=reason, expires_at=ends)
        return await self._announcer.control(record["target"], record)

    async def _refuse(self, attempt: Attempt, action: str, error: OAuthError) -> Response:
        attempt.detail = {"reason_code": error.reason_code, "error": error.code}
        outcome: Outcome = "failed" if error.status == 503 else "refused"
        if attempt.principal is NOBODY:
            if not self._strangers.has_room():
                METRICS.requests.labels(action, outcome).inc()
                return refusal(error)
            if untold := self._strangers.take_untold():
                attempt.detail["refused_without_record"] = untold
        try:
            await self._record(attempt, action, outcome, reason=error.text)
        except OAuthError as unrecorded:
            return refusal(unrecorded)
        return refusal(error)

    async def _record(self, attempt: Attempt, action: str, outcome: Outcome, *, reason: str = "") -> None:
        """Returns once the record is acknowledged. Raises OAuthError when it is not."""
        principal = attempt.principal
        detail = {"peer": attempt.peer, "client_id": principal.client_id, **attempt.detail}
        record = admin_record(
            stamp(), _actor(principal), action, attempt.target, outcome, reason=reason, detail=detail
        )
        METRICS.requests.labels(action, outcome).inc()
        if not await self._announcer.admin(record):
            raise audit_unavailable()


def _actor(principal: Principal) -> Actor:
    return Actor("token_endpoint", principal.subject, principal.issuer)


def _peer(request: Request) -> str:
    return f"{request.client.host}:{request.client.port}" if request.client else ""
