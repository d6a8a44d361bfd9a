"""Whatever is sent, the answer is one that the document has, and nothing is decided by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from console.api.document import document
from console.settings import ApiLimits
from gateway.settings import IdentitySettings
from tests.console.calling import Api, served
from tests.console.conftest import Floor, comes_to

ROUNDS = 250
ODD: tuple[Any, ...] = (
    *(None, True, -1, 2**63, 1e308, "", " ", "\x00", "\u202eevil", "a|b", "💥" * 300, "0" * 64, "true"),
    *([], {}, [[]], {"a": 1}, "2026-07-28T12:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"),
)
NAMES = ("state", "kind", "mine", "limit", "after", "since", "connection", "requester", "reason", "odd")
MEMBERS = ("verb", "digest", "comment", "delegation_id", "to", "until", "reason", "issuer", "subject")


class Sender:
    """Makes requests that mean little, the same ones for the same seed."""

    def __init__(self, random: Random, approval: str) -> None:
        self._random, self._approval = random, approval

    def request(self) -> tuple[str, str, object]:
        """Method, path and body."""
        random = self._random
        number = random.choice([self._approval, str(uuid4()), "x", "%00", "..%2f..", "é"])
        paths = ("", "/", f"/{number}", f"/{number}/decision", "/events/x", f"/{number}/decision/")
        path = "/api/" + random.choice(["approvals", "delegations", "me", "people"]) + random.choice(paths)
        query = "&".join(
            f"{random.choice(NAMES)}={quote(str(random.choice(ODD)))}" for _ in range(random.randrange(3))
        )
        method = random.choice(["GET", "POST", "DELETE", "PUT", "PATCH"])
        return method, f"{path}?{query}" if query else path, self.body()

    def body(self) -> object:
        """A JSON value."""
        random = self._random
        if random.random() < 0.3:
            return random.choice(ODD)
        found = {random.choice(MEMBERS): random.choice(ODD) for _ in range(random.randrange(4))}
        if random.random() < 0.5:
            found["verb"] = random.choice(["approve", "use", "tick", "delegate", ""])
        return found


async def test_odd_requests_get_answers_that_the_document_has(floor: Floor) -> None:
    limits = ApiLimits(requests_per_second=1e6, requests_burst=1_000_000)
    async with served(floor, limits) as api:
        approval = await floor.ask(principal_issuer=api.issuer, principal_aliases=[])
        await comes_to(api.console.desk, approval, "unread")
        token, sender = api.token("eve", "visitors"), Sender(Random(7), approval)
        for _ in range(ROUNDS):
            method, path, body = sender.request()
            await _send(api, method, path, body, token)
        assert api.console.desk.standing(approval).state == "unread"  # type: ignore[union-attr]
        assert await floor.acts(approval) == []


async def _send(api: Api, method: str, path: str, body: object, token: str) -> None:
    answer = await api.ask(method, path, token, body)
    assert answer.status < 500, (method, path, json.dumps(body), answer)


def test_the_document_is_whole_and_its_shapes_are_shapes() -> None:
    found = document(IdentitySettings())
    for schema in found["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in set(_references(found)):
        place: Any = found
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
    text = json.dumps(found)
    assert all(f'"#/components/schemas/{name}"' in text for name in found["components"]["schemas"])


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
