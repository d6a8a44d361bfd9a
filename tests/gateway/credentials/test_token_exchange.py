"""A token on behalf of each caller: never another caller's, asked for once, forgotten in bounds."""

import asyncio
from dataclasses import replace

import pytest

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.endpoint import TokenEndpoint
from gateway.edge.credentials.oauth import CallersToken
from gateway.edge.credentials.secret import Secret
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import SecretSource, TokenExchange
from tests.gateway.credentials.conftest import Clock
from tests.gateway.credentials.provider import Provider, answering

ENV = SecretSource(env="PROVIDER_SECRET")


def exchanging(tokens: Provider, clock: Clock, callers_max: int = 100) -> CallersToken:
    credential = TokenExchange(
        tokens.url, "gateway", ENV, ("read",), audience="k8s", resource="https://k8s.example.com"
    )
    secret = Secret(ENV, "k8s", clock=clock, environ={"PROVIDER_SECRET": "s"})
    return CallersToken(credential, TokenEndpoint(credential, secret), "k8s", clock, callers_max)


def bearer(token: str) -> Headers:
    return [(b"authorization", b"Bearer " + token.encode())]


async def test_the_callers_token_is_exchanged_as_the_specification_says(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = exchanging(tokens, clock)
    assert await injector.headers(ann, "anns") == bearer("token-1-for-anns")
    (question,) = tokens.asked
    assert question.form == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "anns",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "read",
        "audience": "k8s",
        "resource": "https://k8s.example.com",
    }


async def test_each_caller_has_a_token_of_their_own_and_keeps_it(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = exchanging(tokens, clock)
    bob = replace(ann, subject="bob")
    first = [await injector.headers(ann, "anns"), await injector.headers(bob, "bobs")]
    again = [await injector.headers(ann, "anns"), await injector.headers(bob, "bobs")]
    assert first == again == [bearer("token-1-for-anns"), bearer("token-2-for-bobs")]
    assert len(tokens.asked) == 2


@pytest.mark.parametrize(
    "other", [{"issuer": "https://other.example.com"}, {"subject": "Ann"}, {"credential": "jti-2"}], ids=str
)
async def test_what_differs_in_the_caller_makes_another_token(
    tokens: Provider, clock: Clock, ann: Principal, other: dict[str, str]
) -> None:
    injector = exchanging(tokens, clock)
    await injector.headers(ann, "anns")
    await injector.headers(replace(ann, **other), "anns")  # type: ignore[arg-type]
    assert len(tokens.asked) == 2


async def test_two_tokens_whose_credential_has_one_name_are_exchanged_each(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = exchanging(tokens, clock)
    assert await injector.headers(ann, "wide") == bearer("token-1-for-wide")
    assert await injector.headers(ann, "narrow") == bearer("token-2-for-narrow")


async def test_many_calls_of_one_caller_make_one_question_and_do_not_hold_up_another(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = exchanging(tokens, clock)
    bob = replace(ann, subject="bob")
    await injector.headers(bob, "bobs")
    tokens.hold()
    waiting = [asyncio.create_task(injector.headers(ann, "anns")) for _ in range(50)]
    await tokens.arrived.wait()
    assert await injector.headers(bob, "bobs") == bearer("token-1-for-bobs")
    tokens.may_answer.set()
    assert await asyncio.gather(*waiting) == [bearer("token-2-for-anns")] * 50


async def test_a_refused_caller_is_refused_and_others_are_not(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = exchanging(tokens, clock)
    tokens.behave = answering(400, error="invalid_grant")
    for _ in range(20):
        with pytest.raises(CredentialError, match="refused: invalid_grant"):
            await injector.headers(ann, "anns")
    assert len(tokens.asked) == 1
    tokens.behave = None
    assert await injector.headers(replace(ann, subject="bob"), "bobs") == bearer("token-2-for-bobs")


async def test_without_a_token_of_the_caller_there_is_nothing_to_exchange(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    with pytest.raises(CredentialError, match="no token of the caller"):
        await exchanging(tokens, clock).headers(ann, "")
    assert not tokens.asked


async def test_callers_beyond_the_bound_push_out_who_was_here_least_lately(
    tokens: Provider, clock: Clock, ann: Principal
) -> None:
    injector = exchanging(tokens, clock, callers_max=2)
    callers = [replace(ann, subject=f"caller-{number}") for number in range(3)]
    await injector.headers(callers[0], "t")
    await injector.headers(callers[1], "t")
    await injector.headers(callers[0], "t")
    await injector.headers(callers[2], "t")
    assert len(tokens.asked) == 3
    await injector.headers(callers[0], "t")
    assert len(tokens.asked) == 3
    await injector.headers(callers[1], "t")
    assert len(tokens.asked) == 4


async def test_a_token_ends_and_is_asked_for_again(tokens: Provider, clock: Clock, ann: Principal) -> None:
    tokens.life = 10
    injector = exchanging(tokens, clock)
    await injector.headers(ann, "anns")
    clock.now += 10
    assert await injector.headers(ann, "anns") == bearer("token-2-for-anns")
