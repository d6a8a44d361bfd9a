"""Keys of AWS: where they come from, when they are had anew, and what is told when they cannot be had."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.aws import AwsKeys
from gateway.edge.credentials.aws_keys import Keys, session_name
from gateway.sessions import Principal
from gateway.settings import AwsIdentity, AwsRole
from tests.gateway.cloud.conftest import BASE, Clock
from tests.gateway.cloud.sts_front import StsFront, refusal

ROLE = "arn:aws:iam::222222222222:role/prod-access"
HOUR = 3600.0


@asynccontextmanager
async def keys_of(
    identity: AwsIdentity,
    clock: Clock,
    environ: Mapping[str, str] = BASE,
    *,
    now: Callable[[], float] = time.time,
    seconds: float = 30.0,
) -> AsyncIterator[AwsKeys]:
    keys = AwsKeys(identity, "aws", environ=environ, clock=clock, now=now, chain_seconds=seconds)
    try:
        yield keys
    finally:
        await keys.close()


def assuming(sts: StsFront, **of_role: str) -> AwsIdentity:
    return AwsIdentity("eu-west-1", (AwsRole(ROLE, **of_role),), sts_endpoint=sts.url)


async def fault(keys: AwsKeys, principal: Principal) -> str:
    with pytest.raises(CredentialError) as caught:
        await keys.get(principal)
    assert "secret" not in f"{caught.value.reason}{caught.value.detail}"
    return caught.value.reason


# ---- ahead of their end


async def test_keys_are_had_once_and_renewed_ahead_of_their_end_while_the_old_ones_serve(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def held(_: dict[str, str]) -> None:
        arrived.set()
        await may_answer.wait()

    async with keys_of(assuming(sts), clock) as keys:
        first, also = await asyncio.gather(keys.get(ann), keys.get(ann))
        assert first is also
        clock.now += HOUR * 0.7
        assert await keys.get(ann) is first
        assert sts.actions == ["GetCallerIdentity", "AssumeRole"]
        sts.behave = held
        clock.now += HOUR * 0.15
        assert await keys.get(ann) is first
        await arrived.wait()
        assert await keys.get(ann) is first
        may_answer.set()
        async with asyncio.timeout(20):
            while (found := await keys.get(ann)) is first:
                await asyncio.sleep(0)
    assert found.access_key != first.access_key
    assert sts.actions == ["GetCallerIdentity", "AssumeRole"] * 2


async def test_a_renewal_that_fails_leaves_the_old_keys_in_use_until_their_end(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    async def refused(_: dict[str, str]) -> web.Response:
        return refusal("AccessDenied")

    async with keys_of(assuming(sts), clock) as keys:
        first = await keys.get(ann)
        sts.behave = refused
        clock.now += HOUR * 0.9
        assert await keys.get(ann) is first
        clock.now += HOUR * 0.2
        assert await fault(keys, ann) == "AWS STS refused GetCallerIdentity (AccessDenied)"
        sts.behave = None
        clock.now += 2
        assert await keys.get(ann)


async def test_a_web_identitys_token_is_read_anew_for_each_renewal(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("first.a.b")
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE),), token, sts_endpoint=sts.url)
    async with keys_of(identity, clock) as keys:
        await keys.get(ann)
        token.write_text("second.a.b")
        clock.now += 2 * HOUR
        await keys.get(ann)
    assert [asked["WebIdentityToken"] for asked in sts.asked] == ["first.a.b", "second.a.b"]


# ---- what is told


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal("AccessDenied"), "AWS STS refused AssumeRole (AccessDenied)"),
        (refusal("InternalFailure", status=500), "AWS STS refused AssumeRole (InternalFailure)"),
        (refusal("no code"), "AWS STS refused AssumeRole (it did not say why)"),
        (refusal("<b>what</b>"), "what AWS answered cannot be understood (TypeError)"),
        (refusal("Throttling", status=400), "AWS STS refused AssumeRole (Throttling)"),
    ],
    ids=["403", "500", "no-code", "nonsense", "throttled"],
)
async def test_what_sts_says_is_told_by_its_code(
    sts: StsFront, clock: Clock, ann: Principal, answer: web.Response, told: str
) -> None:
    body, status = answer.text, answer.status

    async def behave(asked: dict[str, str]) -> web.Response | None:
        return web.Response(status=status, text=body) if asked["Action"] == "AssumeRole" else None

    sts.behave = behave
    async with keys_of(assuming(sts), clock) as keys:
        assert await fault(keys, ann) == told


async def test_an_sts_that_is_not_there_is_told(clock: Clock, ann: Principal) -> None:
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE),), sts_endpoint="http://127.0.0.1:1")
    async with keys_of(identity, clock) as keys:
        assert await fault(keys, ann) == "AWS STS cannot be reached (EndpointConnectionError)"


async def test_an_sts_that_says_nothing_is_not_waited_for(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    may_answer = asyncio.Event()

    async def silent(_: dict[str, str]) -> None:
        await may_answer.wait()

    sts.behave = silent
    async with keys_of(assuming(sts), clock, seconds=0.3) as keys:
        assert await fault(keys, ann) == "AWS did not answer in time"
        may_answer.set()


async def test_an_answer_that_is_none_is_told(sts: StsFront, clock: Clock, ann: Principal) -> None:
    async def nonsense(_: dict[str, str]) -> web.Response:
        return web.Response(text="<oops", content_type="text/xml")

    sts.behave = nonsense
    async with keys_of(assuming(sts), clock) as keys:
        assert await fault(keys, ann) == "what AWS answered cannot be understood (ResponseParserError)"


@pytest.mark.parametrize("content", [None, "", "\xff"])
async def test_a_web_identitys_token_that_cannot_be_read_is_told(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content, "latin-1")
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE),), tmp_path / "token", sts_endpoint=sts.url)
    async with keys_of(identity, clock) as keys:
        assert (await fault(keys, ann)).startswith("its web identity token ")
    assert not sts.asked


async def test_no_credentials_at_all_are_told(sts: StsFront, clock: Clock, ann: Principal) -> None:
    async with keys_of(assuming(sts), clock, {"AWS_EC2_METADATA_DISABLED": "true"}) as keys:
        assert (await fault(keys, ann)).startswith("AWS gave the gateway no credentials: nothing in its")
    assert not sts.asked


# ---- clocks


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_is_off_is_put_right_by_what_sts_says_and_the_keys_live_as_long(
    sts: StsFront, clock: Clock, ann: Principal, hours: int
) -> None:
    async with keys_of(assuming(sts), clock, now=lambda: time.time() + hours * HOUR) as keys:
        found = await keys.get(ann)
        assert abs(keys.clock.skew_seconds + hours * HOUR) < 60
    assert sts.actions == ["GetCallerIdentity", "GetCallerIdentity", "AssumeRole"]
    assert abs(found.life_seconds - HOUR) < 60


async def test_a_clock_that_is_hardly_off_is_left_alone(sts: StsFront, clock: Clock, ann: Principal) -> None:
    async with keys_of(assuming(sts), clock, now=lambda: time.time() + 20) as keys:
        await keys.get(ann)
        assert keys.clock.skew_seconds == 0
    assert sts.actions == ["GetCallerIdentity", "AssumeRole"]


# ---- where keys come from


@dataclass
class Container:
    """The credentials endpoint of a container, as EKS Pod Identity and ECS have it."""

    url: str = ""
    life_seconds: float = HOUR
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("Authorization", ""))
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life_seconds))
        return web.json_response(
            {"AccessKeyId": "AKIABASE", "SecretAccessKey": "base-secret", "Token": "t", "Expiration": ends}
        )


@pytest.fixture
async def container() -> AsyncIterator[Container]:
    there = Container()
    app = web.Application()
    app.router.add_get("/v1/credentials", there.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    there.url = f"http://{host}:{port}/v1/credentials"
    yield there
    await runner.cleanup()


async def test_a_pods_identity_is_asked_with_the_pods_token(
    sts: StsFront, container: Container, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of-the-pod")
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": container.url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    async with keys_of(AwsIdentity("eu-west-1", sts_endpoint=sts.url), clock, environ) as keys:
        found = await keys.get(ann)
    assert container.asked == ["of-the-pod"]
    assert found.access_key == "AKIABASE"
    assert HOUR - 60 < found.life_seconds <= HOUR


@pytest.mark.parametrize("version", ["2", "1"])
async def test_an_instances_role_is_had_by_the_second_version_of_its_metadata_alone(
    sts: StsFront, clock: Clock, ann: Principal, container: Container, version: str
) -> None:
    async def token(_: web.Request) -> web.Response:
        return web.Response(text="of-the-instance", status=200 if version == "2" else 404)

    async def role(_: web.Request) -> web.Response:
        return web.Response(text="gateway")

    async def keys_of_role(request: web.Request) -> web.Response:
        assert request.headers["x-aws-ec2-metadata-token"] == "of-the-instance"
        return await container.answer(request)

    app = web.Application()
    app.router.add_put("/latest/api/token", token)
    app.router.add_get("/latest/meta-data/iam/security-credentials/", role)
    app.router.add_get("/latest/meta-data/iam/security-credentials/gateway", keys_of_role)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    environ = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{host}:{port}/"}
    try:
        async with keys_of(AwsIdentity("eu-west-1", sts_endpoint=sts.url), clock, environ) as keys:
            if version == "2":
                assert (await keys.get(ann)).access_key == "AKIABASE"
            else:
                assert "no credentials" in await fault(keys, ann)
    finally:
        await runner.cleanup()


async def test_keys_that_have_ended_are_not_used(
    sts: StsFront, container: Container, clock: Clock, ann: Principal
) -> None:
    container.life_seconds = -60
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.url, "AWS_EC2_METADATA_DISABLED": "true"}
    async with keys_of(AwsIdentity("eu-west-1", sts_endpoint=sts.url), clock, environ) as keys:
        reason = await fault(keys, ann)
    assert "have expired" in reason


async def test_keys_of_the_environment_come_before_a_pods_role(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a.b.c")
    environ = {**BASE, "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    async with keys_of(AwsIdentity("eu-west-1", sts_endpoint=sts.url), clock, environ) as keys:
        assert (await keys.get(ann)).access_key == "AKIABASE"


async def test_configuration_files_and_endpoints_of_the_environment_do_not_surprise(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[default]\nrole_arn = arn:aws:iam::1:role/other\nregion = nowhere-1\n")
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = X\naws_secret_access_key = Y\n")
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_PROFILE": "not-there",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    async with keys_of(assuming(sts), clock) as keys:
        assert await keys.get(ann)
        assert keys.sts.url() == sts.url
    async with keys_of(assuming(sts), clock, {"AWS_EC2_METADATA_DISABLED": "true"}) as keys:
        assert "no credentials" in await fault(keys, ann)


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
        ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
    ],
)
async def test_sts_is_that_of_the_region(
    clock: Clock, region: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    async with keys_of(AwsIdentity(region), clock) as keys:
        assert keys.sts.url() == url


async def test_a_profile_is_read_where_it_is_named(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text(
        "[dev]\naws_access_key_id = AKIABASE\naws_secret_access_key = base-secret\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for profile in ("dev", "not-there"):
        identity = AwsIdentity("eu-west-1", profile=profile, sts_endpoint=sts.url)
        async with keys_of(identity, clock, {"AWS_ACCESS_KEY_ID": "other"}) as keys:
            if profile == "dev":
                assert (await keys.get(ann)).access_key == "AKIABASE"
            else:
                assert await fault(keys, ann) == "AWS gave the gateway no credentials (ProfileNotFound)"


# ---- whose they are


async def test_callers_who_have_sessions_of_their_own_share_what_comes_before(
    sts: StsFront, clock: Clock, ann: Principal, bob: Principal
) -> None:
    async with keys_of(assuming(sts, session_name="gw-{subject}"), clock) as keys:
        of_ann, of_bob, again = await asyncio.gather(keys.get(ann), keys.get(bob), keys.get(ann))
    assert of_ann is again
    assert of_ann.access_key != of_bob.access_key
    assert sorted(sts.actions) == ["AssumeRole", "AssumeRole", "GetCallerIdentity"]


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("ann", "gw-ann"),
        ("ann@example.com", "gw-ann@example.com"),
        ("auth0|ann", "gw-auth0-ann-5ddb4bbf"),
        ("auth0/ann", "gw-auth0-ann-a9bb9ee6"),
        ("x" * 80, f"gw-{'x' * 52}-dbd0ccd5"),
    ],
)
def test_a_sessions_name_tells_its_caller_and_no_two_callers_have_one(subject: str, name: str) -> None:
    told = session_name("gw-{subject}", Principal("https://id.example.com", subject, "c"))
    assert told[:-8] == name[:-8]
    assert 2 <= len(told) <= 64
    other = session_name("gw-{subject}", Principal("https://other.example.com", subject, "c"))
    assert (told == other) == (subject.startswith("ann"))


def test_keys_do_not_show_their_secrets() -> None:
    shown = repr(Keys("AKIABASE", "base-secret", "token-secret", 1.0, 1.0))
    assert "base-secret" not in shown
    assert "token-secret" not in shown
