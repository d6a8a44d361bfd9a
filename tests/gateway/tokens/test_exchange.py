"""A provider's token for one of ours: bound, short, recorded before it is given."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from gateway.edge.announce import stamp
from gateway.edge.identity import TokenError
from gateway.settings import Issuer
from schemas.control import principal_blocked, token_revoked
from schemas.kafka import KafkaAddress
from tests.gateway.control.people import until
from tests.gateway.tokens.conftest import (
    ACCESS_TOKEN,
    GRANT,
    PROVIDER,
    PUBLIC_URL,
    Desk,
    open_desk,
)
from tests.support.tcp_proxy import TcpProxy
from tests.support.topics import acts

JWT = "urn:ietf:params:oauth:token-type:jwt"


def refused(answer: httpx.Response) -> tuple[int, str]:
    """(status, error), when the answer is a refusal that nobody may store."""
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    return answer.status_code, answer.json()["error"]


async def refusals(desk: Desk) -> list[dict[str, Any]]:
    """Every refusal on the record, in order."""
    return await acts(desk.kafka.bootstrap, lambda record: record["action"] == "token.refuse")


async def test_a_session_token_is_for_this_person_on_this_connection_for_this_purpose(desk: Desk) -> None:
    answer = await desk.ask(purpose="restart the billing pods")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["issued_token_type"]) == ("Bearer", ACCESS_TOKEN)
    assert 890 <= body["expires_in"] <= 900
    principal = await desk.identity.verify(body["access_token"], f"{PUBLIC_URL}/mcp/demo")
    assert (principal.issuer, principal.subject, principal.groups) == (PROVIDER, desk.subject, ("sre", "dev"))
    assert (principal.connection, principal.purpose) == ("demo", "restart the billing pods")
    assert (principal.client_id, principal.email) == ("agent", "alice@example.com")
    assert principal.expires_at == pytest.approx(time.time() + 900, abs=10)
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == (PUBLIC_URL, f"{PUBLIC_URL}/mcp/demo")
    assert claims["jti"] == principal.credential
    assert jwt.get_unverified_header(body["access_token"])["kid"] == desk.issuer.key_id


async def test_a_session_token_is_refused_on_another_connection(desk: Desk) -> None:
    token = await desk.given()
    with pytest.raises(TokenError) as refusal:
        await desk.identity.verify(token, f"{PUBLIC_URL}/mcp/other")
    assert refusal.value.reason_code == "invalid_token"


async def test_the_record_names_who_and_why_and_never_the_token(desk: Desk) -> None:
    subject_token = desk.subject_token()
    token = await desk.given(subject_token, purpose="look at logs")
    (record,) = await desk.recorded()
    assert (record["action"], record["outcome"], record["target"]) == ("token.issue", "done", "demo")
    assert (record["actor_issuer"], str(record["actor_kind"])) == (PROVIDER, "token_endpoint")
    assert record["reason"] == "look at logs"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert record["detail"]["token_id"] == claims["jti"]
    assert record["detail"]["client_id"] == "agent"
    for secret in (token, subject_token, token.rpartition(".")[2]):
        assert secret not in str(record)


@pytest.mark.parametrize("named", [{"audience": "demo"}, {"resource": f"{PUBLIC_URL}/mcp/demo"}])
async def test_a_connection_is_named_by_name_or_by_url(desk: Desk, named: dict[str, str]) -> None:
    token = await desk.given(**{"audience": None, "subject_token_type": JWT, **named})
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == f"{PUBLIC_URL}/mcp/demo"


async def test_a_session_token_ends_when_the_token_is_no_longer_taken_that_it_was_exchanged_for(
    desk: Desk,
) -> None:
    ends = int(time.time()) + 60
    token = await desk.given(desk.subject_token(exp=ends))
    taken_until = ends + Issuer("any", "https://any.example").leeway_seconds
    assert jwt.decode(token, options={"verify_signature": False})["exp"] == taken_until


async def test_a_session_token_cannot_be_exchanged_again(desk: Desk) -> None:
    token = await desk.given()
    answer = await desk.ask(token)
    assert refused(answer) == (400, "invalid_request")
    assert "cannot be exchanged again" in answer.json()["error_description"]
    assert refused(await desk.ask(token, audience="other")) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "ey.no.token"}, "invalid_request"),
        ({"subject_token": "é"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"audience": None}, "invalid_request"),
        ({"audience": "nowhere"}, "invalid_target"),
        ({"audience": "https://elsewhere.example.com/mcp/demo"}, "invalid_target"),
        ({"audience": f"{PUBLIC_URL}/mcp/demo/../other"}, "invalid_target"),
        ({"resource": f"{PUBLIC_URL}/mcp/other"}, "invalid_target"),
        ({"audience": "x" * 300}, "invalid_target"),
        ({"purpose": "x" * 501}, "invalid_request"),
        ({"purpose": "two\nlines"}, "invalid_request"),
    ],
)
async def test_what_cannot_be_granted_is_refused_by_the_protocols_own_words(
    desk: Desk, form: dict[str, str | None], error: str
) -> None:
    before = await refusals(desk)
    assert refused(await desk.ask(**form)) == (400, error)
    told = (await refusals(desk))[len(before) :]
    assert [json.loads(record["detail"])["error"] for record in told] == [error]


async def test_who_may_not_use_the_connection_is_refused_and_recorded(desk: Desk) -> None:
    answer = await desk.ask(desk.subject_token(groups=["dev"]))
    assert refused(answer) == (400, "invalid_target")
    (record,) = await desk.recorded()
    assert (record["action"], record["outcome"], record["target"]) == ("token.refuse", "refused", "demo")
    assert record["detail"]["reason_code"] == "access_denied"


async def test_an_expired_subject_token_is_refused(desk: Desk) -> None:
    async def told() -> list[dict[str, Any]]:
        return await acts(desk.kafka.bootstrap, lambda r: "token_expired" in r["detail"])

    before = len(await told())
    answer = await desk.ask(desk.subject_token(exp=int(time.time()) - 300))
    assert refused(answer) == (400, "invalid_request")
    assert [record["actor_subject"] for record in (await told())[before:]] == [""]


async def test_a_blocked_principal_gets_no_token(desk: Desk) -> None:
    record = principal_blocked(stamp(), PROVIDER, desk.subject, by="cli:ann@ops", reason="laptop stolen")
    assert await desk.announcer.control(record["target"], record)
    await until(lambda: record["target"] in {r["target"] for r in desk.control.records()})
    answer = await desk.ask()
    assert refused(answer) == (400, "invalid_request")
    assert "laptop stolen" in answer.json()["error_description"]
    assert (await desk.recorded())[-1]["detail"]["reason_code"] == "principal_blocked"


async def test_a_revoked_subject_token_gets_no_token(desk: Desk) -> None:
    record = token_revoked(stamp(), f"jti-{desk.subject}", by="cli:ann@ops", reason="")
    assert await desk.announcer.control(record["target"], record)
    await until(lambda: desk.control.revoked(f"jti-{desk.subject}"))
    answer = await desk.ask(desk.subject_token(jti=f"jti-{desk.subject}"))
    assert refused(answer) == (400, "invalid_request")


async def test_groups_beyond_what_a_header_can_carry_get_no_token_instead_of_fewer_groups(desk: Desk) -> None:
    answer = await desk.ask(desk.subject_token(groups=["sre", *(f"group-{n:04}" for n in range(800))]))
    assert refused(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=1&a=2", {}, 400),
        (b"grant_type", {}, 400),
        (b"%ff=1", {}, 400),
        ("é=1".encode(), {}, 400),
        (b"&".join(b"a%d=1" % n for n in range(30)), {}, 400),
        (b"x" * 40_000, {}, 413),
        (b"{}", {"content-type": "application/json"}, 400),
        (b"a=1", {"content-encoding": "gzip"}, 400),
    ],
)
async def test_what_is_no_small_plain_form_is_refused(
    desk: Desk, body: bytes, headers: dict[str, str], status: int
) -> None:
    usual = {"content-type": "application/x-www-form-urlencoded"}
    answer = await desk.http.post("/token", content=body, headers=usual | headers)
    assert refused(answer) == (status, "invalid_request")


async def test_abuse_44_a_token_in_the_url_is_refused(desk: Desk) -> None:
    answer = await desk.http.post("/token?subject_token=ey", data={"grant_type": GRANT})
    assert refused(answer) == (400, "invalid_request")
    assert (await desk.http.get("/token")).status_code == 405


async def test_where_a_purpose_is_asked_for_no_token_is_given_without_one(
    address: KafkaAddress, tmp_path: Path
) -> None:
    async with open_desk(address, tmp_path, purpose_required=True) as desk:
        assert refused(await desk.ask()) == (400, "invalid_request")
        assert (await desk.ask(purpose="on call")).status_code == 200


async def test_g3_without_the_trail_no_token_is_given(
    network: TcpProxy, kafka: KafkaAddress, tmp_path: Path
) -> None:
    async with open_desk(kafka, tmp_path, deadline_seconds=0.5) as desk:
        network.stall()
        started = time.monotonic()
        answer = await desk.ask()
        assert time.monotonic() - started < 2.0
        assert refused(answer) == (503, "temporarily_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert refused(await desk.ask(scope="x")) == (503, "temporarily_unavailable")
        network.release()
