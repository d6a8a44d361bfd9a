"""One provider on loopback, one identity that trusts it, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.edge.identity import Identity, TrustedIssuer, UnidentifiedError
from gateway.sessions import Principal
from gateway.settings import IdentitySettings, Issuer
from tests.gateway.identity.minting import NOW, Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import ProviderServer, provider_server, until

PUBLIC_URL = "https://gate.example.com"
RESOURCE = f"{PUBLIC_URL}/mcp/tools"


@dataclass
class Hands:
    """Both clocks of an identity: Unix seconds, and seconds since it began."""

    now: float = NOW + 10
    elapsed: float = 1000.0


@dataclass
class Door:
    """An identity as the front door uses it."""

    identity: Identity
    hands: Hands = field(default_factory=Hands)

    async def let_in(self, token: str, resource: str = RESOURCE) -> Principal:
        """The principal of a request with this token."""
        return await self.identify([(b"authorization", f"Bearer {token}".encode("latin-1"))], resource)

    async def identify(
        self, headers: list[tuple[bytes, bytes]], resource: str = RESOURCE, query: str = ""
    ) -> Principal:
        """The principal of a request with these headers."""
        return await self.identity.identify(headers, query, resource)

    async def refused(self, token: str, resource: str = RESOURCE) -> UnidentifiedError:
        """The refusal of a request with this token."""
        with pytest.raises(UnidentifiedError) as caught:
            await self.let_in(token, resource)
        return caught.value


Open = Callable[..., Awaitable[Door]]


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    """A provider with one RSA key, `k1`."""
    async with provider_server() as server:
        server.publish(jwks(jwk(rsa_key(), "k1")))
        yield server


@pytest.fixture
def issuer(provider: ProviderServer) -> Issuer:
    """The provider as the settings name it."""
    return Issuer(name="people", issuer=provider.issuer, audiences=("gate",))


@pytest.fixture
def mint(provider: ProviderServer) -> Mint:
    """Makes the provider's tokens."""
    return Mint(provider.issuer, "gate")


@pytest.fixture
async def open_door(issuer: Issuer) -> AsyncIterator[Open]:
    """Opens a door for the provider, with changed settings or other issuers; waits until it is ready."""
    async with AsyncExitStack() as stack:

        async def opened(
            *others: Issuer, ready: bool = True, extra: TrustedIssuer | None = None, **changes: Any
        ) -> Door:
            hands = Hands()
            settings = IdentitySettings("oidc", PUBLIC_URL, (replace(issuer, **changes), *others))
            identity = Identity(settings, extra, clock=lambda: hands.now, monotonic=lambda: hands.elapsed)
            identity.start()
            stack.push_async_callback(identity.stop)
            if ready:
                await until(lambda: identity.ready)
            return Door(identity, hands)

        yield opened


@pytest.fixture
async def door(open_door: Open) -> Door:
    """A door that trusts the provider."""
    return await open_door()
