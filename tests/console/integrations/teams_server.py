"""Microsoft on loopback: the login that gives a bot its token, the Bot Connector that takes its cards and signs what
people click, and a workflow that takes cards without any of that."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.console.integrations.vendors import VendorServer
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key

APP_ID, APP_SECRET, TENANT = "11111111-2222-3333-4444-555555555555", "the-bots-password", "tenant-1"
CHANNEL = "19:approvals@thread.tacv2"
ISSUER = "https://api.botframework.com"


@dataclass
class TeamsServer(VendorServer):
    """`cards` by (conversation, activity); `posted` by the workflow. `endorsed`: what the signing key is good for."""

    cards: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    posted: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    updates: int = 0
    endorsed: list[str] = field(default_factory=lambda: ["msteams", "skype"])
    mint: Mint = field(default_factory=lambda: Mint(ISSUER, APP_ID, key=rsa_key(7), key_id="connector-1"))

    @property
    def service_url(self) -> str:
        """As activities name it."""
        return f"{self.url}/teams/"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"/{TENANT}/oauth2/v2.0/token", self._token),
            web.get("/v1/.well-known/openidconfiguration", self._metadata),
            web.get("/v1/.well-known/keys", self._keys),
            web.post("/teams/v3/conversations", self._create),
            web.put("/teams/v3/conversations/{conversation}/activities/{activity}", self._update),
            web.post("/workflows/{secret}", self._workflow),
        ]

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == "https://api.botframework.com/.default"
        if (form["client_id"], form["client_secret"]) != (APP_ID, APP_SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens.append(f"token-{len(self.tokens)}")
        return web.json_response(
            {"token_type": "Bearer", "expires_in": 3_599, "access_token": self.tokens[-1]}
        )

    async def _metadata(self, _: web.Request) -> web.StreamResponse:
        document = {
            "issuer": ISSUER,
            "jwks_uri": f"{self.url}/v1/.well-known/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return web.json_response(document)

    async def _keys(self, _: web.Request) -> web.StreamResponse:
        key = jwk(self.mint.key, self.mint.key_id, use="sig", endorsements=self.endorsed)
        return web.json_response(jwks(key))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if not self._authorized(request):
            return web.Response(status=401)
        sent = await request.json()
        assert sent["isGroup"] is True
        if sent["channelData"]["channel"]["id"] != CHANNEL:
            return web.json_response({"error": {"code": "BotNotInConversationRoster"}}, status=403)
        name = (f"{CHANNEL};messageid=17{len(self.cards)}", f"17{len(self.cards)}")
        self.cards[name] = checked(sent["activity"])
        return web.json_response({"id": name[0], "activityId": name[1]}, status=201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        if not self._authorized(request):
            return web.Response(status=401)
        name = (request.match_info["conversation"], request.match_info["activity"])
        if name not in self.cards:
            return web.json_response({"error": {"code": "ActivityNotFoundInConversation"}}, status=404)
        self.cards[name] = checked(await request.json())
        self.updates += 1
        return web.json_response({"id": name[1]})

    async def _workflow(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["secret"] != "of-the-workflow":
            return web.Response(status=401)
        self.posted.append(checked(await request.json()))
        return web.Response(status=202)

    def _authorized(self, request: web.Request) -> bool:
        return request.headers["Authorization"] == f"Bearer {self.tokens[-1]}"

    # -- a person in front of it

    def card(self) -> dict[str, Any]:
        """The only one."""
        (found,) = self.cards.values()
        return found

    def click(self, title: str, who: str, comment: str = "", **over: Any) -> dict[str, Any]:
        """The invoke activity of a click on the only card, as the Connector sends it."""
        (action,) = [each for each in self.card()["actions"] if each["title"] == title]
        data = {**action["data"], "comment": comment}
        return {
            "type": "invoke",
            "name": "adaptiveCard/action",
            "id": f"f:{uuid.uuid4()}",
            "timestamp": "2026-11-21T10:00:00.000Z",
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "from": {"id": f"29:{who}", "name": who, "aadObjectId": who},
            "conversation": {"id": f"{CHANNEL};messageid=170", "tenantId": TENANT, "isGroup": True},
            "recipient": {"id": f"28:{APP_ID}"},
            "channelData": {"tenant": {"id": TENANT}, "channel": {"id": CHANNEL}},
            "value": {
                "action": {"type": "Action.Execute", "verb": action["verb"], "data": data},
                "trigger": "manual",
            },
            **over,
        }

    def token(self, mint: Mint | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """What the Connector puts beside an activity."""
        now = int(time.time())
        usual = {
            **dict.fromkeys(("sub", "jti", "groups", "azp", "email")),
            "nbf": now - 10,
            "iat": now - 10,
            "exp": now + 3_600,
            "serviceurl": self.service_url,
        }
        return (mint or self.mint).token(header, **{**usual, **claims})

    async def send(
        self, http: aiohttp.ClientSession, console: str, activity: Any, token: str | None = None
    ) -> tuple[int, Any]:
        """Status and JSON; Teams waits ten seconds."""
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        timeout = aiohttp.ClientTimeout(total=10)
        url = f"{console}/integrations/teams"
        async with http.post(url, json=activity, headers=headers, timeout=timeout) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None


def checked(activity: dict[str, Any]) -> dict[str, Any]:
    """The Adaptive Card of a message, held against the schema's limits of version 1.4."""
    assert activity["type"] == "message"
    (attachment,) = activity["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card: dict[str, Any] = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {each["type"] for each in card["body"]} <= {"RichTextBlock", "Input.Text"}
    for action in card["actions"]:
        assert action["type"] in ("Action.Execute", "Action.OpenUrl")
    assert len(json.dumps(activity)) < 28_000
    return card


def words(card: dict[str, Any]) -> str:
    """All that a card says."""
    return "\n".join(
        "".join(run["text"] for run in block["inlines"])
        for block in card["body"]
        if block["type"] == "RichTextBlock"
    )
