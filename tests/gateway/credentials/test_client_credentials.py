"""A token of the gateway's own: asked for once, renewed ahead, kept while the provider is away, bounded in all."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.endpoint import TokenEndpoint
from gateway.edge.credentials.oauth import OwnToken
from gateway.edge.credentials.secret import Secret
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import ClientCredentials, SecretSource
from tests.gateway.credentials.conftest import Clock
from tests.gateway.credentials.provider import Behaviour, Provider, answering, provider
from tests.support.certificates import Authority, server_context

ENV = SecretSource(env="PROVIDER_SECRET")


def own_token(
    url: str,
    clock: Clock,
    *,
    seconds: float = 5.0,
    ca_file: Path | None = None,
    scopes: tuple[str, ...] = (),
    audience: str = "",
) -> OwnToken:
    credential = ClientCredentials(url, "gate way", ENV, scopes=scopes, audience=audience, ca_file=ca_file)
    secret = Secret(ENV, "tickets", clock=clock, environ={"PROVIDER_SECRET": "p:ss wörd"})
    return OwnToken(credential, TokenEndpoint(credential, secret, seconds), "tickets", clock)


def bearer(token: str) -> Headers:
    return [(b"authorization", b"Bearer " + token.encode())]


async def test_the_provider_is_asked_as_the_specification_says(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = own_token(tokens.url, clock, scopes=("read", "write"), audience="tickets")
    assert await injector.headers(ann, "ignored") == bearer("token-1")
    (question,) = tokens.asked
    assert (question.client_id, question.secret) == ("gate way", "p:ss wörd")
    assert question.form == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "tickets",
    }


async def test_a_hundred_who_wait_make_one_question(tokens: Provider, clock: Clock, ann: Principal) -> None:
    injector = own_token(tokens.url, clock)
    tokens.hold()
    waiting = [asyncio.create_task(injector.headers(ann, "")) for _ in range(100)]
    await tokens.arrived.wait()
    waiting[0].cancel()
    tokens.may_answer.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [bearer("token-1")] * 99
    assert len(tokens.asked) == 1


async def test_a_token_is_renewed_in_the_background_before_it_ends(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    tokens.life = 100
    injector = own_token(tokens.url, clock)
    await injector.headers(ann, "")
    clock.now += 79
    assert await injector.headers(ann, "") == bearer("token-1")
    assert len(tokens.asked) == 1
    clock.now += 2
    tokens.hold()
    for _ in range(3):
        assert await injector.headers(ann, "") == bearer("token-1"), "nobody waits for the new one"
    await tokens.arrived.wait()
    tokens.may_answer.set()
    await until(injector, ann, bearer("token-2"))
    assert len(tokens.asked) == 2


async def until(injector: OwnToken, principal: Principal, wanted: Headers) -> None:
    async with asyncio.timeout(30):
        while await injector.headers(principal, "") != wanted:
            await asyncio.sleep(0)


async def test_the_old_token_is_used_until_it_ends_while_the_provider_fails_and_then_none_is(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    tokens.life = 100
    injector = own_token(tokens.url, clock)
    await injector.headers(ann, "")
    tokens.behave = answering(500)
    clock.now += 85
    with capture_logs() as logs:
        tokens.arrived.clear()
        assert await injector.headers(ann, "") == bearer("token-1")
        await tokens.arrived.wait()
        clock.now += 14.9
        assert await injector.headers(ann, "") == bearer("token-1")
        clock.now += 1.2
        with pytest.raises(CredentialError, match="answered with status 500"):
            await injector.headers(ann, "")
    assert {entry["event"] for entry in logs} == {"credential_unavailable"}
    tokens.behave = None
    clock.now += 1.1
    assert await injector.headers(ann, "") == bearer(f"token-{len(tokens.asked)}")


async def test_a_failing_provider_is_left_alone_for_a_second(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    tokens.behave = answering(401, error="invalid_client", error_description="p:ss wörd is wrong")
    injector = own_token(tokens.url, clock)
    for _ in range(50):
        with pytest.raises(CredentialError, match=r"refused: invalid_client$"):
            await injector.headers(ann, "")
    assert len(tokens.asked) == 1
    clock.now += 1
    with pytest.raises(CredentialError):
        await injector.headers(ann, "")
    assert len(tokens.asked) == 2


async def html(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>log in</html>", content_type="text/html")


async def compressed(_: web.Request) -> web.StreamResponse:
    body = gzip.compress(b'{"access_token": "' + b"a" * 10_000_000 + b'"}')
    return web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="application/json")


async def deep(_: web.Request) -> web.StreamResponse:
    return web.Response(text="[" * 100_000, content_type="application/json")


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"access_token"')
    assert request.transport
    request.transport.abort()
    return response


async def other_place(_: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("/token")


BAD_ANSWERS: dict[str, tuple[Behaviour, str]] = {
    "HTML": (html, "did not answer with a JSON object"),
    "a list": (deep, "did not answer with a JSON object"),
    "compressed": (compressed, "answered with status 200"),
    "cut": (cut, "cannot be reached"),
    "a redirect": (other_place, "answered with status 307"),
    "no token": (answering(token_type="Bearer"), "no token that a header takes"),
    "a header more": (
        answering(access_token="a\r\nX-Admin: 1", token_type="Bearer"),
        "no token that a header takes",
    ),
    "a token that is a number": (answering(access_token=5, token_type="Bearer"), "no token"),
    "a long token": (answering(access_token="a" * 20_000, token_type="Bearer"), "no token"),
    "another type": (answering(access_token="a", token_type="DPoP"), "not a bearer token"),
    "no type": (answering(access_token="a"), "not a bearer token"),
    "an ended token": (answering(access_token="a", token_type="bearer", expires_in=0), "has expired"),
    "a life that is true": (answering(access_token="a", token_type="bearer", expires_in=True), "has expired"),
    "a life that is text": (
        answering(access_token="a", token_type="bearer", expires_in="1e9"),
        "has expired",
    ),
    "a refusal in HTML": (answering(400, error="<b>no</b>"), "it did not say why"),
}


@pytest.mark.parametrize(("behave", "told"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_an_answer_that_is_no_token_is_refused(
    tokens: Provider, clock: Clock, ann: Principal, behave: Behaviour, told: str
) -> None:
    tokens.behave = behave
    with pytest.raises(CredentialError, match=told):
        await own_token(tokens.url, clock).headers(ann, "")
    assert len(tokens.asked) == 1, "redirects are not followed"


async def test_an_answer_of_100_megabytes_is_read_no_further_than_the_limit(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while sent < 100 * 1024 * 1024:
            await response.write(b" " * 65_536)
            sent += 65_536
        return response

    tokens.behave = endless
    with pytest.raises(CredentialError, match="more than 262144 bytes"):
        await own_token(tokens.url, clock).headers(ann, "")
    assert sent < 20 * 1024 * 1024


async def test_a_slow_provider_is_waited_for_no_longer_than_the_limit(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    tokens.hold()
    with pytest.raises(CredentialError, match="did not answer in time"):
        await own_token(tokens.url, clock, seconds=0.05).headers(ann, "")


async def test_a_provider_that_is_not_there_is_told(silent_port: int, clock: Clock, ann: Principal) -> None:
    with pytest.raises(CredentialError, match=r"cannot be reached \(ClientConnectorError\)"):
        await own_token(f"http://127.0.0.1:{silent_port}/token", clock).headers(ann, "")


@pytest.mark.parametrize(("life", "good_for"), [("120", 120), (None, 60), (10**9, 86_400)])
async def test_how_long_a_token_is_good_for(
    tokens: Provider, clock: Clock, ann: Principal, life: object, good_for: int
) -> None:
    tokens.life = life
    injector = own_token(tokens.url, clock)
    await injector.headers(ann, "")
    clock.now += good_for * 0.79
    assert await injector.headers(ann, "") == bearer("token-1")
    clock.now += good_for * 0.22
    assert await injector.headers(ann, "") == bearer("token-2")


@pytest.fixture
async def secure_tokens(authority: Authority) -> AsyncIterator[Provider]:
    async with provider(server_context(authority.issue("127.0.0.1"))) as served:
        yield served


async def test_a_provider_is_believed_for_its_certificate_alone(
    secure_tokens: Provider, authority: Authority, clock: Clock, ann: Principal
) -> None:
    with pytest.raises(CredentialError, match="ClientConnectorCertificateError"):
        await own_token(secure_tokens.url, clock).headers(ann, "")
    assert not secure_tokens.asked
    trusting = own_token(secure_tokens.url, clock, ca_file=authority.ca)
    assert await trusting.headers(ann, "") == bearer("token-1")


async def test_closing_ends_a_question_under_way(tokens: Provider, clock: Clock, ann: Principal) -> None:
    injector = own_token(tokens.url, clock)
    tokens.hold()
    waiting = asyncio.create_task(injector.headers(ann, ""))
    await tokens.arrived.wait()
    await injector.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
