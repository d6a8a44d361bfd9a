"""Somebody's service that takes signed webhooks, written from the Standard Webhooks specification on its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.console.integrations.vendors import VendorServer

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()


@dataclass
class HookServer(VendorServer):
    """`told`: (id, document) of every authentic message. `secret`: the one it knows."""

    secret: str = SECRET
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    wrong: int = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/hook", self._take)]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body, headers = await request.read(), request.headers
        message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        assert "." not in message_id
        expected = signature(self.secret, message_id, timestamp, body)
        near = abs(time.time() - int(timestamp)) < 300
        if not near or expected not in headers["webhook-signature"].split():
            self.wrong += 1
            return web.Response(status=401)
        assert request.content_type == "application/json"
        self.told.append((message_id, json.loads(body)))
        return web.Response(status=204)


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, by the bytes behind `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = message_id.encode() + b"." + timestamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@dataclass
class Message:
    """A signed message for us."""

    body: bytes
    headers: dict[str, str]


def message(document: Any, *, secret: str = SECRET, message_id: str = "", at: float | None = None) -> Message:
    """With the headers of the specification."""
    body = json.dumps(document).encode()
    name = message_id or f"msg_{time.time_ns()}"
    timestamp = str(int(time.time() if at is None else at))
    return Message(
        body,
        {
            "webhook-id": name,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1a,AAAA {signature(secret, name, timestamp, body)}",
            "Content-Type": "application/json",
        },
    )


def decision(approval: str, person: str, verb: str = "approve", comment: str = "") -> dict[str, Any]:
    """What somebody says."""
    data = {"approval_id": approval, "verb": verb, "person": person, "comment": comment}
    return {"type": "approval.decision", "timestamp": "2026-01-01T00:00:00Z", "data": data}


async def send(http: aiohttp.ClientSession, url: str, sent: Message) -> tuple[int, Any]:
    """Status and JSON."""
    async with http.post(url, data=sent.body, headers=sent.headers) as response:
        found = await response.json() if response.content_type == "application/json" else None
        return response.status, found
