"""The provider as an ASGI application."""

import json
import time
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sluicegate.demo.people.authorize import Authorize
from sluicegate.demo.people.clients import Clients
from sluicegate.demo.people.device import DeviceFlow
from sluicegate.demo.people.endpoint import GRANT_TYPES, TokenEndpoint
from sluicegate.demo.people.errors import NOT_STORED, OAuthError, oauth_error
from sluicegate.demo.people.forms import body
from sluicegate.demo.people.grants import Clock, Grants
from sluicegate.demo.people.keys import signing_key
from sluicegate.demo.people.tokens import Tokens
from sluicegate.demo.people.wishes import SCOPES, Resources

HOSTS = ("127.0.0.1", "localhost")


def people_app(
    issuer: str, data_dir: Path, resource: str, clock: Clock = time.time, *, console: str = ""
) -> Starlette:
    """The provider `issuer`, which keeps its key and its clients in `data_dir`.

    `resource` is the URL of the connection that tokens are for by default, `console` where people
    decide. Raises OSError, UnusableFileError.
    """
    key, grants, resources = signing_key(data_dir), Grants.fresh(clock), Resources(resource, console)
    clients = Clients(data_dir, console)
    login = Authorize(issuer, clients, grants, resources)
    device = DeviceFlow(issuer, clients, grants, resources)
    tokens = TokenEndpoint(clients, grants, Tokens(issuer, key, clock))
    routes = [
        *(Route(path, _document(metadata(issuer))) for path in DISCOVERY),
        Route("/jwks", _document({"keys": [key.jwk]})),
        Route("/register", _registration(clients), methods=["POST"]),
        Route("/authorize", login.show, methods=["GET"]),
        Route("/authorize", login.answer, methods=["POST"]),
        Route("/device_authorization", device.begin, methods=["POST"]),
        Route("/device", device.show, methods=["GET"]),
        Route("/device", device.answer, methods=["POST"]),
        Route("/token", tokens.answer, methods=["POST"]),
    ]
    # Names in `Host` are bound, so that no page elsewhere reaches the login by a name of its own (DNS rebinding).
    only_here = Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False)
    return Starlette(routes=routes, middleware=[only_here], exception_handlers={OAuthError: oauth_error})


DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def metadata(issuer: str) -> dict[str, Any]:
    """Where everything is (OpenID Connect Discovery 1.0, 3; RFC 8414, 2)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "registration_endpoint": f"{issuer}/register",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": list(SCOPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": True,
    }


def _document(content: dict[str, Any]) -> Any:
    async def document(request: Request) -> Response:
        del request  # it is the same for everyone
        return JSONResponse(content)

    return document


def _registration(clients: Clients) -> Any:
    async def register(request: Request) -> Response:
        try:
            asked = json.loads(await body(request))
        except (ValueError, RecursionError):
            raise OAuthError("invalid_client_metadata", "the body is no JSON") from None
        client = clients.register(asked)
        content = {
            "client_id": client.client_id,
            "client_name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "token_endpoint_auth_method": "none",
            "grant_types": list(GRANT_TYPES),
            "response_types": ["code"],
        }
        return JSONResponse(content, 201, NOT_STORED)

    return register
