"""Access tokens of Google by google-auth's own code, from a Google on loopback that checks what it is shown."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.google import GoogleCredential
from gateway.edge.credentials.google_transport import GoogleTransport
from gateway.sessions import Principal
from gateway.settings import GoogleToken
from tests.gateway.cloud.conftest import Clock
from tests.gateway.cloud.google_front import (
    ACCOUNT,
    IMPERSONATION,
    OTHER,
    POOL,
    GoogleFront,
    GoogleKey,
    google_front,
)

METADATA = [
    "metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/",
    "metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
    "metadata.google.internal/computeMetadata/v1/project/project-id",
]


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@pytest.fixture
async def there(private: rsa.RSAPrivateKey) -> AsyncIterator[GoogleFront]:
    async with google_front(private.public_key()) as front:
        yield front


@pytest.fixture
def key(tmp_path: Path, private: rsa.RSAPrivateKey) -> GoogleKey:
    return GoogleKey(tmp_path, private)


@asynccontextmanager
async def google(
    there: GoogleFront,
    clock: Clock,
    settings: GoogleToken,
    *,
    seconds: float = 5.0,
    ask_seconds: float = 30.0,
) -> AsyncIterator[GoogleCredential]:
    transport = GoogleTransport(seconds, there.moved)
    credential = GoogleCredential(settings, "gcp", transport=transport, clock=clock, ask_seconds=ask_seconds)
    try:
        yield credential
    finally:
        await credential.close()


async def fault(credential: GoogleCredential, principal: Principal) -> str:
    with pytest.raises(CredentialError) as caught:
        await credential.headers(principal, "")
    return caught.value.reason


async def test_a_service_accounts_key_signs_what_google_gives_a_token_for(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    async with google(there, clock, GoogleToken(key.service_account(), scopes=("one", "two"))) as credential:
        assert await credential.headers(ann, "") == [(b"authorization", b"Bearer ya29.token-1")]
        assert dict(credential.known()) == {
            "cloud.provider": "gcp",
            "cloud.account.id": "prod-1",
            "cloud.role": ACCOUNT,
        }
    assert there.asked == ["oauth2.googleapis.com/token"]


async def test_a_key_that_google_does_not_know_is_refused_by_name_and_with_no_secret(
    there: GoogleFront, tmp_path: Path, clock: Clock, ann: Principal
) -> None:
    other = GoogleKey(tmp_path, rsa.generate_private_key(65_537, 2048))
    async with google(there, clock, GoogleToken(other.service_account())) as credential:
        assert await fault(credential, ann) == "Google refused a token (invalid_grant)"


async def test_a_key_that_was_exchanged_in_its_file_is_taken_up(
    there: GoogleFront, key: GoogleKey, tmp_path: Path, clock: Clock, ann: Principal
) -> None:
    other = GoogleKey(tmp_path, rsa.generate_private_key(65_537, 2048))
    async with google(there, clock, GoogleToken(other.service_account())) as credential:
        await fault(credential, ann)
        key.service_account()
        clock.now += 2
        assert await credential.headers(ann, "")


@pytest.mark.parametrize("form", ["text", "json"])
async def test_federation_takes_the_token_of_a_file(
    there: GoogleFront, key: GoogleKey, tmp_path: Path, clock: Clock, ann: Principal, form: str
) -> None:
    (tmp_path / "subject").write_text("of-the-file" if form == "text" else '{"t": "of-the-file"}')
    source: dict[str, object] = {"file": str(tmp_path / "subject")}
    if form == "json":
        source["format"] = {"type": "json", "subject_token_field_name": "t"}
    async with google(there, clock, GoogleToken(key.federation(source))) as credential:
        assert await credential.headers(ann, "") == [(b"authorization", b"Bearer ya29.token-1")]
        known = dict(credential.known())
    assert there.asked == ["sts.googleapis.com/v1/token"]
    assert known == {"cloud.provider": "gcp", "cloud.account.id": "123456", "cloud.role.source": POOL}


async def test_federation_takes_the_token_of_a_url_and_then_a_service_account(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    source: dict[str, object] = {
        "url": "https://idp.example/token",
        "format": {"type": "json", "subject_token_field_name": "id_token"},
    }
    async with google(there, clock, GoogleToken(key.federation(source, IMPERSONATION))) as credential:
        assert await credential.headers(ann, "") == [(b"authorization", b"Bearer ya29.gateway-2")]
        known = dict(credential.known())
    assert there.asked[:2] == ["idp.example/token", "sts.googleapis.com/v1/token"]
    assert known["cloud.role"] == ACCOUNT
    assert known["cloud.account.id"] == "prod-1"
    assert known["cloud.role.source"] == POOL


async def test_a_program_that_a_file_names_is_never_started(
    there: GoogleFront,
    key: GoogleKey,
    tmp_path: Path,
    clock: Clock,
    ann: Principal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    program: dict[str, object] = {"executable": {"command": f"/usr/bin/touch {tmp_path / 'ran'}"}}
    async with google(there, clock, GoogleToken(key.federation(program))) as credential:
        assert "neither a file nor a URL" in await fault(credential, ann)
    assert not (tmp_path / "ran").exists()


async def test_the_metadata_server_tells_account_and_project_too(
    there: GoogleFront, clock: Clock, ann: Principal
) -> None:
    async with google(there, clock, GoogleToken()) as credential:
        assert dict(credential.known()) == {"cloud.provider": "gcp"}
        assert await credential.headers(ann, "") == [(b"authorization", b"Bearer ya29.token-1")]
        known = dict(credential.known())
    assert there.asked == METADATA
    assert known == {"cloud.provider": "gcp", "cloud.account.id": "prod-1", "cloud.role": ACCOUNT}


async def test_another_account_is_impersonated_and_both_are_on_the_record(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    async with google(there, clock, GoogleToken(key.service_account(), OTHER)) as credential:
        before = dict(credential.known())
        assert await credential.headers(ann, "") == [(b"authorization", b"Bearer ya29.deployer-2")]
        known = dict(credential.known())
    assert before == {"cloud.provider": "gcp", "cloud.account.id": "prod-2", "cloud.role": OTHER}
    assert known == {**before, "cloud.role.source": ACCOUNT}


async def test_the_machines_account_impersonates_another(
    there: GoogleFront, clock: Clock, ann: Principal
) -> None:
    async with google(there, clock, GoogleToken(impersonate=OTHER)) as credential:
        assert await credential.headers(ann, "") == [(b"authorization", b"Bearer ya29.deployer-2")]
        known = dict(credential.known())
    assert known["cloud.role.source"] == ACCOUNT
    assert known["cloud.account.id"] == "prod-2"


async def test_the_project_that_pays_goes_with_the_token_and_the_client_says_no_other(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    settings = GoogleToken(key.service_account(), quota_project="prod-9")
    async with google(there, clock, settings) as credential:
        assert (b"x-goog-user-project", b"prod-9") in await credential.headers(ann, "")
        assert credential.strip([(b"x-goog-user-project", b"theirs"), (b"a", b"b")]) == [(b"a", b"b")]


async def test_a_token_is_renewed_ahead_of_its_end_while_the_old_one_serves(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def held(_: web.Request) -> None:
        arrived.set()
        await may_answer.wait()

    async with google(there, clock, GoogleToken(key.service_account())) as credential:
        first = await credential.headers(ann, "")
        clock.now += 3600 * 0.7
        assert await credential.headers(ann, "") == first
        assert there.given == 1
        there.behave = held
        clock.now += 3600 * 0.15
        assert await credential.headers(ann, "") == first
        await arrived.wait()
        assert await credential.headers(ann, "") == first
        may_answer.set()
        async with asyncio.timeout(30):
            while (found := await credential.headers(ann, "")) == first:
                await asyncio.sleep(0)
    assert found == [(b"authorization", b"Bearer ya29.token-2")]


async def test_a_renewal_that_fails_leaves_the_old_token_in_use_until_its_end(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    async def refused(_: web.Request) -> web.Response:
        return web.json_response({"error": "invalid_grant"}, status=400)

    async with google(there, clock, GoogleToken(key.service_account())) as credential:
        first = await credential.headers(ann, "")
        there.behave = refused
        clock.now += 3600 * 0.9
        assert await credential.headers(ann, "") == first
        clock.now += 3600 * 0.2
        assert await fault(credential, ann) == "Google refused a token (invalid_grant)"


async def test_impersonation_without_the_right_is_told_as_google_says_it(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    async def denied(request: web.Request) -> web.Response | None:
        said = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "iam.getAccessToken"}}
        return web.json_response(said, status=403) if "generateAccessToken" in request.path else None

    there.behave = denied
    async with google(there, clock, GoogleToken(key.service_account(), OTHER)) as credential:
        assert await fault(credential, ann) == "Google refused a token (PERMISSION_DENIED)"


async def test_a_google_that_fails_is_told_by_its_status(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=418, text="ya29.secret")

    there.behave = broken
    (tmp_path / "subject").write_text("of-the-file")
    settings = GoogleToken(key.federation({"file": str(tmp_path / "subject")}))
    async with google(there, clock, settings) as credential:
        assert await fault(credential, ann) == "Google gave no token (status 418)"


async def test_a_google_that_cannot_be_reached_is_told_in_bounded_time(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    there.url = "http://127.0.0.1:1"
    began = time.monotonic()
    async with google(there, clock, GoogleToken(key.service_account()), ask_seconds=0.5) as credential:
        reason = await fault(credential, ann)
    assert reason in ("Google cannot be reached (NewConnectionError)", "Google did not answer in time")
    assert time.monotonic() - began < 10


async def test_a_google_that_says_nothing_is_not_waited_for(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    async def silent(_: web.Request) -> None:
        await asyncio.Event().wait()

    there.behave = silent
    (tmp_path / "subject").write_text("of-the-file")
    settings = GoogleToken(key.federation({"file": str(tmp_path / "subject")}))
    async with google(there, clock, settings, seconds=0.2) as credential:
        assert await fault(credential, ann) == "Google did not answer in time"


async def test_a_clock_that_is_off_is_told(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal
) -> None:
    there.now = lambda: time.time() + 7200
    async with google(there, clock, GoogleToken(key.service_account())) as credential:
        assert await fault(credential, ann) == (
            "Google refused a token (invalid_grant); the gateway's clock is 120 minutes behind Google's"
        )


async def test_the_end_that_googles_clock_tells_is_read_by_that_clock(
    there: GoogleFront, clock: Clock, ann: Principal
) -> None:
    there.now = lambda: time.time() - 7200
    async with google(there, clock, GoogleToken(impersonate=OTHER)) as credential:
        first = await credential.headers(ann, "")
        clock.now += 3600 * 0.7
        assert await credential.headers(ann, "") == first
        clock.now += 3600 * 0.4
        assert await credential.headers(ann, "") != first


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"type": "authorized_user", "refresh_token": "hunter2"}',
        '{"type": "service_account"}',
    ],
)
async def test_a_file_that_is_none_is_told_without_what_stands_in_it(
    there: GoogleFront, clock: Clock, ann: Principal, tmp_path: Path, content: str
) -> None:
    (tmp_path / "google.json").write_text(content)
    async with google(there, clock, GoogleToken(tmp_path / "google.json")) as credential:
        reason = await fault(credential, ann)
    assert reason.startswith("its file for Google ")
    assert "hunter2" not in reason


async def test_a_redirect_is_not_followed(
    there: GoogleFront, key: GoogleKey, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    async def elsewhere(request: web.Request) -> web.Response | None:
        if "elsewhere" in request.path:
            return web.json_response({"access_token": "ya29.x", "expires_in": 60, "token_type": "Bearer"})
        return web.Response(status=307, headers={"Location": f"{there.url}/elsewhere"}, text=json.dumps({}))

    there.behave = elsewhere
    (tmp_path / "subject").write_text("of-the-file")
    settings = GoogleToken(key.federation({"file": str(tmp_path / "subject")}))
    async with google(there, clock, settings) as credential:
        assert await fault(credential, ann) == "Google gave no token (status 307)"
    assert there.asked == ["sts.googleapis.com/v1/token"]
