"""Who asks about approvals: the same tokens as on the connections, and the same people who are kept out."""

import time
from collections.abc import Iterable

from starlette.requests import Request

from gateway.edge.approvals.answers import ApprovalError
from gateway.edge.control import Control
from gateway.edge.identity import Identity, TokenError, UnidentifiedError, resource_of
from gateway.edge.identity.bearer import bearer_token
from gateway.edge.identity.challenge import challenge
from gateway.edge.identity.claims import audiences
from gateway.edge.identity.compact import parse
from gateway.frames.headers import LOOPBACK_NAMES, Headers, first, host_name
from gateway.sessions import Principal, anonymous
from gateway.settings import Connection, IdentitySettings


class Callers:
    """Tells who calls. `identity` is None where nobody is asked; `hosts` are names of ours beside loopback ones."""

    def __init__(
        self,
        identity: Identity | None,
        settings: IdentitySettings,
        control: Control,
        connections: Iterable[Connection],
        hosts: frozenset[str],
    ) -> None:
        self._identity = identity
        self._control = control
        self._root = settings.public_url.rstrip("/")
        self._resources = {resource_of(settings, each.name, each.kind) for each in connections}
        self._hosts = LOOPBACK_NAMES | hosts

    async def principal(self, request: Request) -> Principal:
        """Who calls. Raises ApprovalError."""
        headers: Headers = [(name, value.strip(b" \t")) for name, value in request.headers.raw]
        self._check_host(headers)
        if not self._control.ready:
            raise ApprovalError(503, "unavailable", self._control.fault, {"Retry-After": "1"})
        resource = self._resource(headers)
        principal = await self._named(request, headers, resource)
        if self._control.revoked(principal.credential):
            way = challenge("invalid_token", "it was revoked", resource, ())
            raise ApprovalError(401, "invalid_token", "the token was revoked", {"WWW-Authenticate": way})
        if reason := self._control.blocked(principal):
            raise ApprovalError(403, "principal_blocked", f"blocked: {reason}")
        return principal

    async def _named(self, request: Request, headers: Headers, resource: str) -> Principal:
        if self._identity is None:
            host = request.client.host if request.client else ""
            agent = first(headers, b"user-agent").decode("latin-1")
            return anonymous(host, agent, time.strftime("%Y-%m-%d", time.gmtime()))
        try:
            return await self._identity.identify(headers, request.url.query, resource)
        except UnidentifiedError as error:
            more = {"WWW-Authenticate": error.challenge} if error.challenge else {"Retry-After": "1"}
            raise ApprovalError(error.status, error.reason_code, error.detail, more) from None

    def _resource(self, headers: Headers) -> str:
        """What the token is looked at for: a connection of ours that it names, not verified yet, or the gateway."""
        try:
            named = audiences(parse(bearer_token(headers, "")).claims)
        except TokenError:
            return self._root
        return next(iter(sorted(named & self._resources)), self._root)

    def _check_host(self, headers: Headers) -> None:
        """A page in a browser must not reach a loopback gateway under a name of its own (DNS rebinding)."""
        origin = first(headers, b"origin")
        ours = host_name(first(headers, b"host")) in self._hosts
        if not ours or (origin and host_name(origin.partition(b"://")[2]) not in self._hosts):
            raise ApprovalError(403, "host_not_allowed", "this Host or Origin may not use the gateway")
