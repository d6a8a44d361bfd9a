"""Slack on loopback: the methods of its Web API that we call, Block Kit's limits, and signed interaction payloads."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.console.integrations.vendors import VendorServer

BOT_TOKEN, SIGNING_SECRET = "xoxb-of-the-bot", "8f742231b10e8888abcd99yyyzzz85a5"
CHANNEL, TEAM = "C0123", "T1"


@dataclass
class SlackServer(VendorServer):
    """`messages` by ts, `whispers` to single people, `modals` that are open."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    whispers: list[dict[str, Any]] = field(default_factory=list)
    modals: list[dict[str, Any]] = field(default_factory=list)
    updates: int = 0
    may_read: bool = True
    silent: bool = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/chat.postMessage", self._post),
            web.post("/api/chat.update", self._update),
            web.post("/api/chat.postEphemeral", self._whisper),
            web.post("/api/views.open", self._open),
            web.get("/api/conversations.history", self._history),
        ]

    # -- the Web API

    async def _post(self, request: web.Request) -> web.StreamResponse:
        sent = await self._sent(request)
        if sent["channel"] != CHANNEL:
            return self._no("channel_not_found")
        check_blocks(sent["blocks"])
        ts = f"{int(time.time())}.{len(self.messages):06d}"
        self.messages[ts] = sent
        if self.silent:  # it is posted, but nobody hears so
            self.silent = False
            return web.Response(status=502)
        return web.json_response({"ok": True, "channel": CHANNEL, "ts": ts, "message": sent})

    async def _update(self, request: web.Request) -> web.StreamResponse:
        sent = await self._sent(request)
        if sent["ts"] not in self.messages:
            return self._no("message_not_found")
        check_blocks(sent["blocks"])
        self.updates += 1
        self.messages[sent["ts"]] = sent
        return web.json_response({"ok": True, "channel": CHANNEL, "ts": sent["ts"]})

    async def _whisper(self, request: web.Request) -> web.StreamResponse:
        self.whispers.append(await self._sent(request))
        return web.json_response({"ok": True, "message_ts": "1.2"})

    async def _open(self, request: web.Request) -> web.StreamResponse:
        sent = await self._sent(request)
        view = sent["view"]
        assert len(view["title"]["text"]) <= 24
        assert len(view["private_metadata"]) <= 3_000
        if not sent["trigger_id"].startswith("trigger-"):
            return self._no("invalid_trigger_id")
        self.modals.append(view)
        return web.json_response({"ok": True, "view": {"id": "V1"}})

    async def _history(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {BOT_TOKEN}"
        if not self.may_read:
            return self._no("missing_scope")
        oldest = float(request.query["oldest"])
        found = [{"ts": ts, **sent} for ts, sent in self.messages.items() if float(ts) >= oldest]
        if request.query.get("include_all_metadata") != "true":
            found = [{name: value for name, value in each.items() if name != "metadata"} for each in found]
        return web.json_response({"ok": True, "messages": found, "has_more": False})

    async def _sent(self, request: web.Request) -> dict[str, Any]:
        assert request.headers["Authorization"] == f"Bearer {BOT_TOKEN}"
        assert request.content_type == "application/json"
        sent: dict[str, Any] = await request.json()
        return sent

    def _no(self, code: str) -> web.StreamResponse:
        return web.json_response({"ok": False, "error": code})

    # -- a person in front of it

    def shown(self) -> str:
        """Everything that the only message shows."""
        (message,) = self.messages.values()
        return json.dumps(message["blocks"], ensure_ascii=False)

    def buttons(self) -> list[str]:
        """The labels of the only message's buttons."""
        (message,) = self.messages.values()
        return [
            each["text"]["text"]
            for block in message["blocks"]
            for each in block.get("elements", ())
            if "action_id" in each
        ]

    def click(self, label: str, who: str, **over: Any) -> dict[str, Any]:
        """The payload of a click on a button of the only message."""
        ((ts, message),) = self.messages.items()
        elements = [each for block in message["blocks"] for each in block.get("elements", ())]
        (button,) = [each for each in elements if each.get("action_id") and each["text"]["text"] == label]
        return {
            "type": "block_actions",
            "api_app_id": "A1",
            "team": {"id": TEAM, "domain": "example"},
            "user": {"id": who, "username": who.lower(), "team_id": TEAM},
            "channel": {"id": CHANNEL, "name": "approvals"},
            "message": {"ts": ts},
            "trigger_id": f"trigger-{time.time_ns()}",
            "actions": [{"type": "button", **{name: button.get(name) for name in ("action_id", "value")}}],
            **over,
        }

    def submission(self, user: str, comment: str) -> dict[str, Any]:
        """The payload of the only modal, filled in."""
        (view,) = self.modals
        (block,) = [each for each in view["blocks"] if each["type"] == "input"]
        values = {
            block["block_id"]: {block["element"]["action_id"]: {"type": "plain_text_input", "value": comment}}
        }
        return {
            "type": "view_submission",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "view": {**view, "state": {"values": values}},
        }


@dataclass
class Signed:
    """A request as Slack makes it."""

    body: bytes
    headers: dict[str, str]


def signed(payload: dict[str, Any], *, secret: str = SIGNING_SECRET, at: float | None = None) -> Signed:
    """Form, timestamp and signature."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return Signed(
        body,
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
        },
    )


async def send(http: aiohttp.ClientSession, console: str, request: Signed) -> tuple[int, Any]:
    """Status and JSON; Slack waits three seconds."""
    timeout = aiohttp.ClientTimeout(total=3)
    url = f"{console}/integrations/slack"
    async with http.post(url, data=request.body, headers=request.headers, timeout=timeout) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None


def check_blocks(blocks: list[dict[str, Any]]) -> None:
    """Block Kit's limits."""
    assert 0 < len(blocks) <= 50
    for block in blocks:
        match block["type"]:
            case "header":
                assert 0 < len(block["text"]["text"]) <= 150
            case "section":
                assert 0 < len(block["fields"]) <= 10
                assert all(
                    0 < len(each["text"]) <= 2_000 and each["type"] == "plain_text"
                    for each in block["fields"]
                )
            case "context":
                assert 0 < len(block["elements"]) <= 10
            case "actions":
                assert 0 < len(block["elements"]) <= 25
                for button in block["elements"]:
                    assert len(button["text"]["text"]) <= 75
                    assert len(button.get("value", "")) <= 2_000
                    assert len(button["action_id"]) <= 255
            case kind:
                assert kind == "rich_text"
