"""ABUSE 35-44, 49, 55, 56, 61 through the whole gateway: refused, unseen by upstream, once on the trail."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.abuse.identified import PROVIDER, identified
from tests.abuse.raw import connected
from tests.gateway.conftest import Served, Upstream, demo
from tests.gateway.identity.minting import Mint, ec_key, hmac_forged, jwk, public_pem, rsa_key
from tests.support.trail import read_frames

MINT = Mint(PROVIDER, "gate")
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}}'


def good(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of today."""
    now = int(time.time())
    return MINT.token(header, **{"iat": now, "exp": now + 300, **claims})


def forged(header: dict[str, Any]) -> str:
    """The same by another key."""
    now = int(time.time())
    return Mint(PROVIDER, "gate", rsa_key(9)).token(header, iat=now, exp=now + 300)


def twice(name: str, value: Any) -> str:
    """A token whose claims say one name twice."""
    now = int(time.time())
    claims = json.dumps(MINT.claims(iat=now, exp=now + 300))
    return MINT.signed(claims[:-1] + f', "{name}": {json.dumps(value)}}}')


def unsigned(name: str) -> str:
    head, claims, _ = good({"alg": name}).split(".")
    return f"{head}.{claims}."


INVALID, EXPIRED, NONE = "invalid_token", "token_expired", "unauthenticated"
TOKENS: dict[str, tuple[str, str]] = {
    "35 alg none": (unsigned("none"), INVALID),
    "35 alg NoNe": (unsigned("NoNe"), INVALID),
    "35 hmac with the public key": (hmac_forged(MINT, public_pem(rsa_key())), INVALID),
    "35 RS256 on an EC key": (Mint(PROVIDER, "gate", ec_key(), "k1", "ES256").token(), INVALID),
    "36 jwk": (forged({"jwk": jwk(rsa_key(9), "k1")}), INVALID),
    "36 jku": (forged({"jku": "http://127.0.0.1:1/keys"}), INVALID),
    "36 x5u": (forged({"x5u": "http://127.0.0.1:1/keys"}), INVALID),
    "37 kid as a path": (good({"kid": "../../etc/passwd"}), INVALID),
    "37 kid as SQL": (good({"kid": "' OR 1=1 --"}), INVALID),
    "37 kid of 10 KB": (good({"kid": "k" * 10_000}), INVALID),
    "38 kid that is not there": (good({"kid": "k2"}), INVALID),
    "39 crit": (good({"crit": ["exp"], "exp": 1}), INVALID),
    "39 b64": (good({"b64": False, "crit": ["b64"]}), INVALID),
    "39 five parts": (good() + ".a.b", INVALID),
    "39 JSON": (json.dumps({"payload": "e30", "signature": ""}), INVALID),
    "40 another audience": (good(aud="gate2"), INVALID),
    "40 no audience": (good(aud=None), INVALID),
    "40 a longer issuer": (good(iss=PROVIDER + "/"), INVALID),
    "40 an issuer in capitals": (good(iss=PROVIDER.upper()), INVALID),
    "41 an ID token": (good(nonce="n", at_hash="h"), INVALID),
    "42 over": (good(exp=int(time.time()) - 60), EXPIRED),
    "42 not yet": (good(nbf=int(time.time()) + 600), INVALID),
    "42 exp as text": (good(exp="9999999999"), INVALID),
    "43 sub twice": (twice("sub", "root"), INVALID),
    "43 exp twice": (twice("exp", 9_999_999_999), INVALID),
}
BODIES = {
    "55 method twice": (CALL[:-1] + b',"method":"ping"}', "json_duplicate_key"),
    "55 name twice, escaped": (
        CALL.replace(b'"name":"t"', b'"name":"t","n\\u0061me":"u"'),
        "json_duplicate_key",
    ),
    "56 Name": (CALL.replace(b'"name"', b'"Name"'), "json_look_alike_key"),
    "56 half a surrogate pair": (CALL.replace(b'"t"', b'"\\ud800"'), "json_lone_surrogate"),
}


def request(*headers: bytes, target: bytes = b"/mcp/demo", body: bytes = CALL) -> bytes:
    lines = [b"POST %b HTTP/1.1" % target, b"Host: 127.0.0.1", *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def refused(gate: Served, asked: bytes, status: int, reason: str, what: str) -> str:
    """The exchange that this request was, which must be refused so."""
    async with connected(gate) as client:
        await client.send(asked)
        answer = await client.answer()
        assert (answer.status, answer.reason_code) == (status, reason), (what, answer.body)
        if status == 401:
            assert b"resource_metadata=" in answer.headers[b"www-authenticate"], what
        return answer.exchange_id


async def check_trail(kafka: KafkaAddress, told: dict[str, str]) -> dict[str, FrameRecorded]:
    """Each of these exchanges (by id: its reason code) is there once; gives the frames."""
    frames = [r.frame for r in await read_frames(kafka.bootstrap) if str(r.frame["exchange_id"]) in told]
    assert Counter(str(frame["exchange_id"]) for frame in frames) == dict.fromkeys(told, 1)
    for frame in frames:
        said = (frame["outcome"], frame["reason_code"], frame["body"])
        assert said == ("refused", told[str(frame["exchange_id"])], b"")
    return {str(frame["exchange_id"]): frame for frame in frames}


async def test_abuse_35_36_37_38_39_40_41_42_43_44_hostile_tokens_get_nowhere(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream
) -> None:
    told: dict[str, str] = {}
    async with identified(kafka, tmp_path, demo(upstream)) as gate:
        for what, (token, reason) in TOKENS.items():
            asked = request(b"Authorization: Bearer " + token.encode())
            told[await refused(gate, asked, 401, reason, what)] = reason
        for what, asked in {
            "none": request(),
            "a cookie": request(b"Cookie: access_token=" + good().encode()),
            "another scheme": request(b"Authorization: Basic " + good().encode()),
        }.items():
            told[await refused(gate, asked, 401, NONE, what)] = NONE
        secret = good()
        asked = request(target=b"/mcp/demo?access_token=" + secret.encode())
        told[await refused(gate, asked, 401, INVALID, "44 in the query")] = INVALID
    frames = await check_trail(kafka, told)
    assert upstream.requests == 0
    kept = repr(list(frames.values()))
    assert not any(part in kept for part in secret.split(".")[1:])
    for token, _ in TOKENS.values():
        assert token not in kept


async def test_abuse_49_a_padded_token_is_the_same_caller_in_the_trail(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream
) -> None:
    token = good(sub="padding-pat")
    async with identified(kafka, tmp_path, demo(upstream)) as gate:
        for written in (token, token + "=", token + "=="):
            async with connected(gate) as client:
                await client.send(request(b"Authorization: Bearer " + written.encode()))
                status = (await client.answer()).status
                assert status in (200, 401)
    recorded = [r.frame for r in await read_frames(kafka.bootstrap)]
    mine = [frame for frame in recorded if frame["principal_subject"] == "padding-pat"]
    assert len({frame["session_id"] for frame in mine}) == 1


@pytest.mark.parametrize("what", BODIES)
async def test_abuse_55_56_bodies_with_two_readings_get_nowhere_and_are_on_the_trail(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, what: str
) -> None:
    body, reason = BODIES[what]
    async with identified(kafka, tmp_path, demo(upstream)) as gate:
        asked = request(b"Authorization: Bearer " + good().encode(), body=body)
        exchange = await refused(gate, asked, 400, reason, what)
    frames = [r.frame for r in await read_frames(kafka.bootstrap) if str(r.frame["exchange_id"]) == exchange]
    assert [(f["outcome"], f["reason_code"]) for f in frames] == [("refused", reason)]
    assert upstream.requests == 0


async def test_abuse_61_a_token_for_elsewhere_says_nothing_on_another(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream
) -> None:
    other = replace(demo(upstream), name="other")
    async with identified(kafka, tmp_path, demo(upstream), other) as gate:
        asked = request(b"Authorization: Bearer " + good(aud="elsewhere").encode(), target=b"/mcp/other")
        exchange = await refused(gate, asked, 401, INVALID, "61")
    await check_trail(kafka, {exchange: INVALID})
    assert upstream.requests == 0
