"""The device flow (RFC 8628), for programs in a terminal: `sluicegate login`."""

from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sluicegate.demo.people.clients import Clients
from sluicegate.demo.people.directory import PEOPLE
from sluicegate.demo.people.errors import NOT_STORED, OAuthError
from sluicegate.demo.people.forms import parameters, posted
from sluicegate.demo.people.grants import LOGIN_SECONDS, Device, Grants, user_code
from sluicegate.demo.people.pages import login_page, told
from sluicegate.demo.people.wishes import Resources

POLL_SECONDS = 2
NOBODY = '<button name="person" value="nobody">none of these: refuse</button>'


@dataclass(frozen=True)
class DeviceFlow:
    """Codes that a person confirms at `issuer`/device."""

    issuer: str
    clients: Clients
    grants: Grants
    resources: Resources

    async def begin(self, request: Request) -> Response:
        """A program asks for a code."""
        asked = await posted(request)
        client = self.clients.get(asked.needed("client_id"))
        device = Device(self.resources.wish(client, asked), user_code())
        page = f"{self.issuer}/device"
        content = {
            "device_code": self.grants.devices.put(device),
            "user_code": device.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={device.user_code}",
            "expires_in": int(LOGIN_SECONDS),
            "interval": POLL_SECONDS,
        }
        return JSONResponse(content, headers=NOT_STORED)

    async def show(self, request: Request) -> Response:
        """The page on which a person confirms a code; nothing happens before they press a button."""
        try:
            typed = parameters(request.url.query).get("user_code", "")
        except OAuthError:
            typed = ""
        device = self.grants.device_of(typed)
        program = self.clients.get(device.wish.client_id).name if device else "A program"
        code = f'<p><label>the code it shows <input name="user_code" value="{escape(typed)}" required></label></p>'
        return login_page("/device", program, {}, code + NOBODY)

    async def answer(self, request: Request) -> Response:
        """The person pressed a button."""
        try:
            form = await posted(request)
        except OAuthError as error:
            return told("This login cannot go on", error.description, error.status)
        device = self.grants.device_of(form.get("user_code", ""))
        if device is None:
            return told("There is no such code", "It may be over, or mistyped. Go back and try again.", 400)
        device.person = PEOPLE.get(form.get("person", ""))
        device.declined = device.person is None
        if device.person is None:
            return told("Refused", "The program gets no token.")
        return told(f"You are {device.person.label}", "Go back to the program; this page can be closed.")
