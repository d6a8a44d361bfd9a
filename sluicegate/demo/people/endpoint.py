"""`/token`: what a program gets for a code, for a confirmed device code, or for a refresh token."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sluicegate.demo.people.clients import Clients
from sluicegate.demo.people.errors import NOT_STORED, OAuthError
from sluicegate.demo.people.forms import Parameters, posted
from sluicegate.demo.people.grants import Grants
from sluicegate.demo.people.tokens import Tokens
from sluicegate.demo.people.wishes import same_resource

CODE: Final = "authorization_code"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH: Final = "refresh_token"
GRANT_TYPES: Final = (CODE, DEVICE, REFRESH)


@dataclass(frozen=True)
class TokenEndpoint:
    """Gives tokens to programs that are known."""

    clients: Clients
    grants: Grants
    tokens: Tokens

    async def answer(self, request: Request) -> Response:
        """The tokens. Raises OAuthError."""
        form = await posted(request)
        ways: Mapping[str, Callable[[Parameters], dict[str, Any]]] = {
            CODE: self._by_code,
            DEVICE: self._by_device,
            REFRESH: self._by_refresh_token,
        }
        way = ways.get(form.needed("grant_type"))
        if way is None:
            raise OAuthError("unsupported_grant_type", f"grant_type is one of {', '.join(GRANT_TYPES)}")
        self.clients.get(form.needed("client_id"))
        return JSONResponse(way(form), headers=NOT_STORED)

    def _by_code(self, form: Parameters) -> dict[str, Any]:
        code = self.grants.codes.take(form.needed("code"))
        if code is None or code.login.wish.client_id != form["client_id"]:
            raise OAuthError("invalid_grant", "the code is not good; it may be over, or used already")
        if form.get("redirect_uri", code.login.redirect_uri) != code.login.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is another than at the login")
        if not _fits(form.needed("code_verifier"), code.login.challenge):
            raise OAuthError("invalid_grant", "code_verifier does not fit")
        same_resource(form, code.login.wish)
        return self.tokens.answer(code.person, code.login.wish)

    def _by_device(self, form: Parameters) -> dict[str, Any]:
        device_code = form.needed("device_code")
        device = self.grants.devices.get(device_code)
        if device is None or device.wish.client_id != form["client_id"]:
            raise OAuthError("expired_token", "the code is not good; it may be over, or used already")
        if device.declined:
            raise OAuthError("access_denied", "the person refused")
        if device.person is None:
            raise OAuthError("authorization_pending", "nobody has confirmed the code yet")
        same_resource(form, device.wish)
        self.grants.devices.take(device_code)
        return self.tokens.answer(device.person, device.wish)

    def _by_refresh_token(self, form: Parameters) -> dict[str, Any]:
        person, wish = self.tokens.refreshed(form.needed("refresh_token"), form["client_id"])
        same_resource(form, wish)
        return self.tokens.answer(person, wish)


def _fits(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())
