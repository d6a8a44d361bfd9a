"""From a connection's settings to its injector."""

from typing import Literal

from gateway.edge.credentials.endpoint import TokenEndpoint
from gateway.edge.credentials.fixed import Fixed
from gateway.edge.credentials.injector import ClientsHeaders, Injector, NoCredential
from gateway.edge.credentials.oauth import CallersToken, OwnToken
from gateway.edge.credentials.secret import Secret
from gateway.settings import (
    ClientCredentials,
    ClientsOwn,
    Connection,
    FixedCredential,
    TokenExchange,
)


def credential_for(connection: Connection, identity_mode: Literal["none", "oidc"]) -> Injector:
    """The injector of a connection. Raises ValueError for a kind that does not go with the identity mode."""
    credential = connection.credential
    match credential:
        case None:
            return NoCredential()
        case ClientsOwn():
            if identity_mode != "none":
                raise ValueError(f"connection {connection.name}: a client's own credential never goes on")
            return ClientsHeaders()
        case FixedCredential():
            return Fixed(credential, Secret(credential.secret, connection.name))
        case ClientCredentials():
            return OwnToken(credential, _endpoint(credential, connection.name), connection.name)
        case TokenExchange():
            if identity_mode == "none":
                raise ValueError(
                    f"connection {connection.name}: without identity there is no token to exchange"
                )
            return CallersToken(credential, _endpoint(credential, connection.name), connection.name)
        case _:
            raise ValueError(f"connection {connection.name}: no such credential")


def _endpoint(credential: ClientCredentials | TokenExchange, connection: str) -> TokenEndpoint:
    return TokenEndpoint(credential, Secret(credential.secret, connection))
