"""Officers who logged in say how long the trail is kept, through the console; nobody else does."""

from __future__ import annotations

from typing import Any

import pytest

from console.settings import KeepingSettings
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.retention_content import Hold, hold_content
from schemas.signatures import SigningKey, TrustedKey
from tests.console.calling import Api, served
from tests.console.conftest import KEYS, Floor
from tests.retention.acts import PEOPLE, STORE
from tests.support.topics import acts

KEEPING = KeepingSettings(
    KEYS.signing_seed,
    (
        TrustedKey(SigningKey(KEYS.signing_seed).public, "console", PEOPLE),
        TrustedKey(SigningKey(STORE).public, "retention", frozenset({"started", "lengthened"})),
    ),
    b"e" * 32,
    officer_groups=("legal",),
)
HOLD: dict[str, Any] = {
    "kind": "hold",
    "content": hold_content(Hold(connection="demo")),
    "reason": "lawsuit",
}


@pytest.fixture
async def floor(broker: str) -> Floor:
    await ensure_topics(KafkaAddress(broker, embedded=True))
    return Floor(broker)


async def asked(api: Api, method: str, path: str, token: str, body: object = None) -> tuple[int, Any]:
    """(status, content) of an operation of retention."""
    headers = {"Authorization": f"Bearer {token}"}
    async with api.http.request(method, api.url + path, json=body, headers=headers) as response:
        return response.status, await response.json()


async def test_an_officer_proposes_and_another_one_confirms(floor: Floor) -> None:
    async with served(floor, keeping=KEEPING) as api:
        ann, bob, carl = api.token("ann", "legal"), api.token("bob", "legal"), api.token("carl", "owners")
        assert (await asked(api, "POST", "/api/retention/proposals", carl, HOLD))[0] == 403
        status, made = await asked(api, "POST", "/api/retention/proposals", ann, HOLD)
        assert (status, made["state"], made["asked_by"]) == (201, "pending", [f"{api.issuer}|ann"])
        place = f"/api/retention/proposals/{made['id']}/confirmation"

        assert (await asked(api, "POST", place, carl, {}))[0] == 403
        status, refused = await asked(api, "POST", place, ann, {"alone": True})
        assert (status, refused["detail"]) == (409, "nobody confirms what the same person proposed")
        status, done = await asked(api, "POST", place, bob, {"reason": "agreed"})
        assert (status, done["state"]) == (200, "confirmed")

        assert (await asked(api, "GET", "/api/retention", carl))[0] == 403
        _, shown = await asked(api, "GET", "/api/retention", bob)
        assert [each["state"] for each in shown["proposals"] if each["id"] == made["id"]] == ["confirmed"]
    told = await acts(floor.broker, lambda row: row["target"] == made["id"])
    assert [(row["actor_subject"], row["action"], row["outcome"]) for row in told] == [
        ("ann", "hold.propose", "asked"),
        ("ann", "hold.propose", "done"),
        ("ann", "hold.confirm", "asked"),
        ("ann", "hold.confirm", "refused"),
        ("bob", "hold.confirm", "asked"),
        ("bob", "hold.confirm", "done"),
    ]


async def test_what_cannot_be_meant_is_refused(floor: Floor) -> None:
    async with served(floor, keeping=KEEPING) as api:
        ann = api.token("ann", "legal")
        for body, status in (
            ({**HOLD, "content": '{"everything": 1}'}, 409),
            ({**HOLD, "kind": "other"}, 422),
            ({**HOLD, "reason": ""}, 422),
        ):
            assert (await asked(api, "POST", "/api/retention/proposals", ann, body))[0] == status
        nobody = "/api/retention/proposals/0198f0f2-7c1e-7cc1-9c1e-0242ac120009/withdrawal"
        assert (await asked(api, "POST", nobody, ann, {}))[0] == 404
