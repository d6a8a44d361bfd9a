"""Providers that are slow, down, odd or hostile, and their keys as they come and go (ABUSE 45 to 47)."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.identity.fetch import DOCUMENT_BYTES_MAX
from gateway.edge.identity.keys import usable_keys
from tests.gateway.identity.conftest import Door, Open
from tests.gateway.identity.minting import Mint, b64, jwk, jwks, rsa_key
from tests.gateway.identity.provider import KEYS, METADATA, RFC8414, Answer, ProviderServer, until


async def test_abuse_45_ten_thousand_unknown_kids_make_one_fetch_a_cooldown(
    door: Door, mint: Mint, provider: ProviderServer
) -> None:
    _, claims, signature = mint.token().split(".")
    before = provider.asked[KEYS]
    for n in range(10_000):
        forged = Mint(mint.issuer, "gate", mint.key, f"kid-{n}")
        token = f"{_header(forged)}.{claims}.{signature}" if n % 100 else forged.token()
        assert (await door.refused(token)).reason_code == "invalid_token"
    assert provider.asked[KEYS] == before + 1
    door.hands.elapsed += 9.9
    await door.refused(mint.token({"kid": "kid-x"}))
    assert provider.asked[KEYS] == before + 1
    door.hands.elapsed += 0.2
    await door.refused(mint.token({"kid": "kid-y"}))
    assert provider.asked[KEYS] == before + 2
    assert (await door.let_in(mint.token())).subject == "alice"


def _header(mint: Mint) -> str:
    return b64(json.dumps({"alg": "RS256", "typ": "JWT", "kid": mint.key_id}).encode())


async def test_abuse_45_many_at_once_wait_for_one_fetch_and_only_some_wait(
    door: Door, mint: Mint, provider: ProviderServer
) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        asked.set()
        await may_answer.wait()
        return web.json_response(jwks(jwk(rsa_key(), "k1"), jwk(rsa_key(1), "k2")))

    provider.answers[KEYS] = slow
    before = provider.asked[KEYS]
    coming = Mint(mint.issuer, "gate", rsa_key(1), "k2")
    requests = [asyncio.create_task(door.identity.verify(coming.token(jti=f"t-{n}"), "")) for n in range(200)]
    await asked.wait()
    assert (await door.let_in(mint.token())).subject == "alice", "a known key waits for nobody"
    await until(lambda: sum(request.done() for request in requests) == 200 - 32)
    may_answer.set()
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 32
    assert provider.asked[KEYS] == before + 1


async def test_one_client_that_leaves_does_not_end_the_fetch_of_the_others(
    door: Door, mint: Mint, provider: ProviderServer
) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        asked.set()
        await may_answer.wait()
        return web.json_response(jwks(jwk(rsa_key(1), "k2")))

    provider.answers[KEYS] = slow
    coming = Mint(mint.issuer, "gate", rsa_key(1), "k2")
    leaves, stays = (asyncio.create_task(door.let_in(coming.token(jti=name))) for name in ("a", "b"))
    await asked.wait()
    leaves.cancel()
    may_answer.set()
    assert (await stays).subject == "alice"


async def test_abuse_46_down_after_success_keeps_the_last_keys_up_to_a_limit(
    open_door: Open, mint: Mint, provider: ProviderServer
) -> None:
    door = await open_door(keys_fresh_seconds=0.01, keys_stale_seconds=3600.0)
    known = mint.token(jti="known")
    await door.let_in(known)
    await provider.stop()
    await until(lambda: door.identity.fault != "")
    door.hands.elapsed += 3599
    assert (await door.let_in(mint.token(jti="new"))).subject == "alice"
    assert (await door.let_in(known)).subject == "alice"
    door.hands.elapsed += 1
    for token in (mint.token(jti="newer"), known):
        refusal = await door.refused(token)
        assert (refusal.reason_code, refusal.status, refusal.challenge) == ("identity_unavailable", 503, "")
    await provider.start()
    await until(lambda: door.identity.fault == "")
    assert (await door.let_in(known)).subject == "alice"


async def test_abuse_46_down_at_start_is_not_ready_until_it_answers(
    open_door: Open, mint: Mint, provider: ProviderServer
) -> None:
    await provider.stop()
    door = await open_door(ready=False)
    await until(lambda: "cannot be read" in door.identity.fault)
    assert not door.identity.ready
    assert (await door.refused(mint.token())).reason_code == "identity_unavailable"
    await provider.start()
    await until(lambda: door.identity.ready)
    assert door.identity.fault == ""
    assert (await door.let_in(mint.token())).subject == "alice"


async def test_an_unknown_key_while_the_provider_is_down_may_be_there_all_the_same(
    door: Door, mint: Mint, provider: ProviderServer
) -> None:
    await provider.stop()
    for _ in ("asks", "cools down"):
        assert (await door.refused(mint.token({"kid": "k2"}))).reason_code == "identity_unavailable"


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def _hundred_megabytes(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(1600):
        await response.write(b" " * 65536)
    return response


async def _html(_: web.Request) -> web.Response:
    return web.Response(text=json.dumps(jwks(jwk(rsa_key(), "k1"))), content_type="text/html")


async def _redirect(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/elsewhere"})


async def _gzip(_: web.Request) -> web.Response:
    response = web.json_response(jwks(jwk(rsa_key(), "k1")))
    response.enable_compression(web.ContentCoding.gzip)
    return response


def _text(body: bytes) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return answer


_KEY = json.dumps(jwk(rsa_key(), "k1"))


@pytest.mark.parametrize(
    "answer",
    [
        _trickle,
        _hundred_megabytes,
        _html,
        _redirect,
        _gzip,
        _text(b""),
        _text(b"<html>sign in</html>"),
        _text(b"[]"),
        _text(b"{}"),
        _text(b'{"keys": {}}'),
        _text(b"[" * 100_000),
        _text(f'{{"keys": [], "keys": [{_KEY}]}}'.encode()),
        _text(f'{{"keys": [{", ".join([_KEY] * 101)}]}}'.encode()),
        _text(b" " * DOCUMENT_BYTES_MAX + f'{{"keys": [{_KEY}]}}'.encode()),
    ],
    ids=lambda answer: getattr(answer, "__name__", ""),
)
@pytest.mark.parametrize("path", [METADATA, KEYS])
async def test_abuse_46_a_slow_large_or_odd_answer_is_bounded_and_not_believed(
    open_door: Open,
    mint: Mint,
    provider: ProviderServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    path: str,
) -> None:
    monkeypatch.setattr("gateway.edge.identity.fetch.TIMEOUT_SECONDS", 1.0)
    provider.answers[path] = answer
    provider.documents["/elsewhere"] = provider.documents[path]
    door = await open_door(ready=False)
    await until(lambda: "cannot be read" in door.identity.fault)
    assert not door.identity.ready
    assert provider.asked["/elsewhere"] == 0
    assert (await door.refused(mint.token())).reason_code == "identity_unavailable"


async def test_abuse_47_a_new_key_is_taken_in_time_and_a_removed_one_refused(
    door: Door, mint: Mint, provider: ProviderServer
) -> None:
    known = mint.token()
    await door.let_in(known)
    provider.publish(jwks(jwk(rsa_key(), "k1"), jwk(rsa_key(1), "k2")))
    fresh = Mint(mint.issuer, "gate", rsa_key(1), "k2")
    assert (await door.let_in(fresh.token())).subject == "alice", "at its first use"
    provider.publish(jwks(jwk(rsa_key(1), "k2"), jwk(rsa_key(2), "k3")))
    door.hands.elapsed += 11
    await door.let_in(Mint(mint.issuer, "gate", rsa_key(2), "k3").token())
    for token in (known, mint.token(jti="other")):
        assert (await door.refused(token)).reason_code == "invalid_token"
    assert (await door.let_in(fresh.token())).subject == "alice"


async def test_abuse_47_keys_are_read_again_without_any_request(
    open_door: Open, mint: Mint, provider: ProviderServer
) -> None:
    door = await open_door(keys_fresh_seconds=0.02)
    known = mint.token()
    await door.let_in(known)
    provider.publish(jwks(jwk(rsa_key(1), "k2")))
    before = provider.asked[KEYS]
    await until(lambda: provider.asked[KEYS] >= before + 2)
    assert (await door.refused(known)).reason_code == "invalid_token"
    provider.publish(jwks())
    before = provider.asked[KEYS]
    await until(lambda: provider.asked[KEYS] >= before + 2)
    assert (
        await door.refused(Mint(mint.issuer, "gate", rsa_key(1), "k2").token())
    ).reason_code == "invalid_token"
    assert "no key" in door.identity.fault


async def test_keys_in_a_file_are_read_again_when_it_changes(
    open_door: Open, mint: Mint, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))))
    door = await open_door(jwks_file=file)
    known = mint.token()
    assert (await door.let_in(known)).subject == "alice"
    _replace(file, json.dumps(jwks(jwk(rsa_key(1), "k2"))))
    assert (await door.let_in(Mint(mint.issuer, "gate", rsa_key(1), "k2").token())).subject == "alice"
    assert (await door.refused(known)).reason_code == "invalid_token"
    _replace(file, "{")
    await until(lambda: "cannot be used" in door.identity.fault)
    assert (await door.let_in(Mint(mint.issuer, "gate", rsa_key(1), "k2").token())).subject == "alice"
    _replace(file, " " * (DOCUMENT_BYTES_MAX + 1))
    await until(lambda: "larger" in door.identity.fault)
    file.unlink()
    await until(lambda: "No such file" in door.identity.fault)


def _replace(file: Path, text: str) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, file)


async def test_the_other_form_of_discovery_is_used_where_the_first_is_missing(
    open_door: Open, mint: Mint, provider: ProviderServer
) -> None:
    provider.documents[RFC8414] = provider.documents.pop(METADATA)
    door = await open_door()
    assert (await door.let_in(mint.token())).subject == "alice"
    assert (provider.asked[METADATA], provider.asked[RFC8414]) == (1, 1)


async def test_an_issuer_with_a_path_has_its_metadata_where_the_standards_say(
    open_door: Open, provider: ProviderServer
) -> None:
    name = f"{provider.issuer}/realms/x"
    keys = {"issuer": name, "jwks_uri": f"{provider.issuer}{KEYS}"}
    for path in (f"/realms/x{METADATA}", f"{RFC8414}/realms/x"):
        provider.documents = {path: keys, KEYS: jwks(jwk(rsa_key(), "k1"))}
        door = await open_door(issuer=name)
        assert (await door.let_in(Mint(name, "gate").token())).issuer == name


async def test_keys_may_lie_at_a_url_that_the_settings_name(
    open_door: Open, provider: ProviderServer
) -> None:
    name = "https://issuer.invalid"
    door = await open_door(issuer=name, jwks_url=f"{provider.issuer}{KEYS}")
    assert (await door.let_in(Mint(name, "gate").token())).issuer == name
    assert provider.asked[METADATA] == 0


_MEMBER = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["RSA", "EC", "OKP", "P-256", "sig", "RS256", "AQAB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_JWK = st.dictionaries(
    st.sampled_from(["kty", "kid", "use", "alg", "key_ops", "crv", "n", "e", "x", "y"]), _MEMBER
)


@given(st.lists(_JWK | _MEMBER, max_size=4), st.sampled_from(["RSA", "EC", "OKP"]))
def test_no_key_of_a_provider_breaks_the_reading_of_the_others(odd: list[Any], kind: str) -> None:
    odd = [key | {"kty": kind} if isinstance(key, dict) else key for key in odd]
    good = jwk(rsa_key(), "the good one")
    assert ("the good one", "RS256") in usable_keys(jwks(*odd, good), ("RS256", "ES256", "EdDSA"))
