"""Tokens of a provider: the gateway's own (RFC 6749, 4.4), and on behalf of each caller (RFC 8693)."""

import time
from collections import OrderedDict
from functools import partial

from gateway.edge.credentials.endpoint import TokenEndpoint
from gateway.edge.credentials.held import HeldToken
from gateway.edge.credentials.injector import CredentialError, Stripping
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.token import Token
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import ClientCredentials, TokenExchange

CALLERS_MAX = 10_000
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

_Caller = tuple[str, str, str, int]


class OwnToken(Stripping):
    """One token of the gateway's own for all callers."""

    def __init__(
        self,
        credential: ClientCredentials,
        endpoint: TokenEndpoint,
        connection: str,
        clock: Clock = time.monotonic,
    ) -> None:
        self._form = _form("client_credentials", credential)
        self._endpoint = endpoint
        self._held = HeldToken(connection, clock)

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`."""
        return self._held.now(self._ask) or await self._held.wait(self._ask)

    async def close(self) -> None:
        """See `Injector`."""
        await self._held.close()

    async def _ask(self) -> Token:
        return await self._endpoint.ask(self._form)


class CallersToken(Stripping):
    """A token for each caller, asked for with the caller's own. Those used least lately are forgotten first."""

    def __init__(
        self,
        credential: TokenExchange,
        endpoint: TokenEndpoint,
        connection: str,
        clock: Clock = time.monotonic,
        callers_max: int = CALLERS_MAX,
    ) -> None:
        self._form = _form(_EXCHANGE, credential) | {
            "subject_token_type": _ACCESS_TOKEN,
            "requested_token_type": _ACCESS_TOKEN,
        }
        if credential.resource:
            self._form["resource"] = credential.resource
        self._endpoint = endpoint
        self._connection = connection
        self._clock = clock
        self._callers_max = callers_max
        self._held: OrderedDict[_Caller, HeldToken] = OrderedDict()

    async def headers(self, principal: Principal, client_token: str) -> Headers:
        """See `Injector`."""
        if not client_token:
            raise CredentialError("there is no token of the caller to exchange")
        held = self._of(principal, client_token)
        ask = partial(self._ask, client_token)
        return held.now(ask) or await held.wait(ask)

    async def close(self) -> None:
        """See `Injector`."""
        for held in self._held.values():
            await held.close()

    def _of(self, principal: Principal, client_token: str) -> HeldToken:
        """The token's hash is in the key because a credential's name may be no more than its second of issue."""
        key = (principal.issuer, principal.subject, principal.credential, hash(client_token))
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
            return held
        held = self._held[key] = HeldToken(self._connection, self._clock)
        if len(self._held) > self._callers_max:
            self._held.popitem(last=False)
        return held

    async def _ask(self, client_token: str) -> Token:
        return await self._endpoint.ask({**self._form, "subject_token": client_token})


def _form(grant: str, credential: ClientCredentials | TokenExchange) -> dict[str, str]:
    form = {"grant_type": grant}
    if credential.scopes:
        form["scope"] = " ".join(credential.scopes)
    if credential.audience:
        form["audience"] = credential.audience
    return form
