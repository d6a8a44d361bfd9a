"""What an injector is, and the two that know no secret."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from gateway.effects import Forward
from gateway.frames import credentials
from gateway.frames.headers import Headers
from gateway.sessions import Principal


class CredentialError(Exception):
    """The credential for upstream cannot be had now. `reason` is for client and record: no secret, path or URL.
    `detail` is for the log: who was asked for what, no secret either."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Injector(Protocol):
    """Gives the credential of one connection. Used in one event loop."""

    def strip(self, headers: Headers) -> Headers:
        """The client's headers without what must not go on."""
        ...

    async def headers(self, principal: Principal, client_token: str) -> Headers:
        """The headers to add. Waits only when a token must be asked for. Raises CredentialError."""
        ...

    async def authorize(self, asked: Forward, principal: Principal, client_token: str) -> Forward:
        """The request as upstream gets it: the client's credential off, our own on. Raises CredentialError."""
        ...

    def known(self) -> Mapping[str, str]:
        """What is known of whom upstream will take us for, by names of the record's attributes."""
        ...

    async def close(self) -> None:
        """Ends what runs in the background."""
        ...


async def outgoing(injector: Injector, headers: Headers, principal: Principal, client_token: str) -> Headers:
    """What goes upstream for the client's `headers`. Raises CredentialError."""
    return injector.strip(headers) + await injector.headers(principal, client_token)


class Stripping:
    """Takes off every credential of the client."""

    def strip(self, headers: Headers) -> Headers:
        """See `Injector`."""
        return credentials.strip(headers)

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`. Nothing of ours here."""
        return []

    async def authorize(self, asked: Forward, principal: Principal, client_token: str) -> Forward:
        """See `Injector`."""
        own = await self.headers(principal, client_token)
        return replace(asked, headers=[*self.strip(asked.headers), *own])

    def known(self) -> Mapping[str, str]:
        """See `Injector`."""
        return {}

    async def close(self) -> None:
        """See `Injector`."""


class NoCredential(Stripping):
    """Upstream asks for none."""


class ClientsHeaders(NoCredential):
    """What the client sent goes on as it is."""

    def strip(self, headers: Headers) -> Headers:
        """See `Injector`."""
        return headers
