"""From a connection's settings to its injector."""

from typing import Literal, assert_never

from gateway.edge.credentials.endpoint import TokenEndpoint
from gateway.edge.credentials.fixed import Fixed
from gateway.edge.credentials.injector import ClientsHeaders, Injector, NoCredential
from gateway.edge.credentials.oauth import CallersToken, OwnToken
from gateway.edge.credentials.own_session_token import Desk, own_session_token
from gateway.edge.credentials.secret import Secret
from gateway.edge.credentials.service_account import ServiceAccountToken
from gateway.settings import (
    ClientCredentials,
    ClientsOwn,
    Connection,
    EksToken,
    FixedCredential,
    GoogleToken,
    OwnSessionToken,
    ServiceAccount,
    SigV4,
    TokenExchange,
)


def credential_for(
    connection: Connection, identity_mode: Literal["none", "oidc"], desk: Desk | None = None
) -> Injector:
    """The injector of a connection; `desk` gives session tokens of this gateway, None where it gives none.

    Raises ValueError for a kind that does not go with the identity mode."""
    injector: Injector
    match connection.credential:
        case None:
            injector = NoCredential()
        case ClientsOwn():
            injector = _clients_own(connection.name, identity_mode)
        case FixedCredential() as credential:
            injector = Fixed(credential, Secret(credential.secret, connection.name))
        case ClientCredentials() as credential:
            injector = OwnToken(credential, _endpoint(credential, connection.name), connection.name)
        case TokenExchange() as credential:
            injector = _callers_token(credential, connection.name, identity_mode)
        case ServiceAccount() as credential:
            injector = ServiceAccountToken(credential, connection.name)
        case EksToken() | SigV4() as credential:
            injector = _of_aws(credential, connection)
        case GoogleToken() as credential:
            injector = _of_google(credential, connection.name)
        case OwnSessionToken() as credential:
            injector = own_session_token(credential, connection.name, desk)
        case never:
            assert_never(never)
    return injector


def _clients_own(connection: str, identity_mode: Literal["none", "oidc"]) -> Injector:
    if identity_mode != "none":
        raise ValueError(f"connection {connection}: a client's own credential never goes on")
    return ClientsHeaders()


def _callers_token(
    credential: TokenExchange, connection: str, identity_mode: Literal["none", "oidc"]
) -> Injector:
    if identity_mode == "none":
        raise ValueError(f"connection {connection}: without identity there is no token to exchange")
    return CallersToken(credential, _endpoint(credential, connection), connection)


def _of_aws(credential: EksToken | SigV4, connection: Connection) -> Injector:
    """botocore takes its time to import: only where a connection uses it."""
    from gateway.edge.credentials.aws import AwsKeys  # noqa: PLC0415
    from gateway.edge.credentials.eks import EksCredential  # noqa: PLC0415
    from gateway.edge.credentials.sigv4 import SigV4Credential  # noqa: PLC0415

    keys = AwsKeys(credential.identity, connection.name)
    if isinstance(credential, EksToken):
        return EksCredential(credential, keys, connection.name)
    return SigV4Credential(credential, keys, connection.upstream or "")


def _of_google(credential: GoogleToken, connection: str) -> Injector:
    """So does google-auth."""
    from gateway.edge.credentials.google import GoogleCredential  # noqa: PLC0415

    return GoogleCredential(credential, connection)


def _endpoint(credential: ClientCredentials | TokenExchange, connection: str) -> TokenEndpoint:
    return TokenEndpoint(credential, Secret(credential.secret, connection))
