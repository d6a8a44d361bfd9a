"""The token of an EKS cluster: STS answers it as the API server would have it answered."""

import asyncio
import time
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp

from gateway.edge.credentials.aws import AwsKeys
from gateway.edge.credentials.eks import EksCredential
from gateway.sessions import Principal
from gateway.settings import AwsIdentity, AwsRole, EksToken
from tests.gateway.cloud.conftest import BASE, Clock
from tests.gateway.cloud.sts_front import StsFront

ROLE_A = "arn:aws:iam::111111111111:role/gateway"
ROLE_B = "arn:aws:iam::222222222222:role/prod-access"
# as aws-iam-authenticator lets them pass
PARAMETERS = {
    *("action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires"),
    *("x-amz-security-token", "x-amz-signature", "x-amz-signedheaders"),
}


@asynccontextmanager
async def eks(
    identity: AwsIdentity,
    clock: Clock,
    environ: dict[str, str] = BASE,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[EksCredential]:
    keys = AwsKeys(identity, "prod", environ=environ, clock=clock, now=now)
    credential = EksCredential(EksToken("prod-eu", identity), keys, "prod", clock)
    try:
        yield credential
    finally:
        await credential.close()


async def token(credential: EksCredential, principal: Principal) -> str:
    ((name, value),) = await credential.headers(principal, "")
    assert name == b"authorization"
    return value.decode().removeprefix("Bearer ")


def url_of(token: str) -> str:
    assert token.startswith("k8s-aws-v1.")
    text = token.removeprefix("k8s-aws-v1.")
    assert "=" not in text
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


async def asked_by_cluster(token: str, cluster: str) -> tuple[int, str]:
    """What the API server does with a token: it calls the URL with the name of its cluster."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(url_of(token), headers={"x-k8s-aws-id": cluster}) as response,
    ):
        return response.status, await response.text()


async def test_the_cluster_learns_from_sts_which_role_it_is_asked_by(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE_B, external_id="x-1"),), sts_endpoint=sts.url)
    async with eks(identity, clock) as credential:
        text = await token(credential, ann)
        known = credential.known()
    status, answer = await asked_by_cluster(text, "prod-eu")
    assert status == 200
    assert "<Arn>arn:aws:sts::222222222222:assumed-role/prod-access/sluicegate</Arn>" in answer
    assert sts.actions == ["GetCallerIdentity", "AssumeRole", "GetCallerIdentity"]
    assert sts.asked[1]["ExternalId"] == "x-1"
    assert known["cloud.role"] == ROLE_B
    assert known["cloud.account.id"] == "222222222222"
    assert known["cloud.role.source"].startswith("arn:aws:sts::")
    assert known["k8s.cluster.name"] == "prod-eu"


async def test_the_token_is_a_url_that_the_authenticator_of_eks_lets_pass(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE_B),), sts_endpoint=sts.url)
    async with eks(identity, clock) as credential:
        url = urlsplit(url_of(await token(credential, ann)))
    asked = parse_qs(url.query)
    assert url.path == "/"
    assert {name.lower() for name in asked} <= PARAMETERS
    assert all(len(values) == 1 for values in asked.values())
    assert asked["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert asked["X-Amz-Expires"] == ["60"]


async def test_a_token_is_good_for_the_cluster_that_it_was_signed_for_and_no_other(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE_B),), sts_endpoint=sts.url)
    async with eks(identity, clock) as credential:
        text = await token(credential, ann)
    status, answer = await asked_by_cluster(text, "staging-eu")
    assert status == 403
    assert "SignatureDoesNotMatch" in answer


async def test_the_first_role_is_assumed_with_the_pods_web_identity_and_the_second_with_the_first(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a.b.c\n")
    roles = (AwsRole(ROLE_A), AwsRole(ROLE_B))
    identity = AwsIdentity("eu-west-1", roles, tmp_path / "token", sts_endpoint=sts.url)
    async with eks(identity, clock) as credential:
        before = dict(credential.known())
        status, answer = await asked_by_cluster(await token(credential, ann), "prod-eu")
        assert credential.known() == before
    assert status == 200
    assert "assumed-role/prod-access/" in answer
    assert sts.actions == ["AssumeRoleWithWebIdentity", "AssumeRole", "GetCallerIdentity"]
    assert sts.asked[0]["WebIdentityToken"] == "a.b.c"
    assert [sts.asked[0]["RoleArn"], sts.asked[1]["RoleArn"]] == [ROLE_A, ROLE_B]
    assert before == {
        "cloud.provider": "aws",
        "cloud.region": "eu-west-1",
        "cloud.account.id": "222222222222",
        "cloud.role": ROLE_B,
        "cloud.role.source": ROLE_A,
        "k8s.cluster.name": "prod-eu",
    }


async def test_what_eks_sets_in_a_pod_is_enough(
    sts: StsFront, clock: Clock, ann: Principal, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a.b.c")
    environ = {"AWS_ROLE_ARN": ROLE_A, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    identity = AwsIdentity("eu-west-1", sts_endpoint=sts.url)
    async with eks(identity, clock, environ) as credential:
        status, answer = await asked_by_cluster(await token(credential, ann), "prod-eu")
        known = credential.known()
    assert status == 200
    assert "111111111111:assumed-role/gateway/sluicegate" in answer
    assert known["cloud.role"] == ROLE_A


async def test_each_caller_has_a_session_of_its_own_where_the_session_name_says_so(
    sts: StsFront, clock: Clock, ann: Principal, bob: Principal
) -> None:
    roles = (AwsRole(ROLE_A), AwsRole(ROLE_B, session_name="sluicegate-{subject}"))
    identity = AwsIdentity("eu-west-1", roles, sts_endpoint=sts.url)
    async with eks(identity, clock) as credential:
        _, of_ann = await asked_by_cluster(await token(credential, ann), "prod-eu")
        _, of_bob = await asked_by_cluster(await token(credential, bob), "prod-eu")
        assert await token(credential, ann) != await token(credential, bob)
    assert "assumed-role/prod-access/sluicegate-ann<" in of_ann
    assert "assumed-role/prod-access/sluicegate-bob<" in of_bob
    assumed = [asked["RoleSessionName"] for asked in sts.asked if asked["Action"] == "AssumeRole"]
    assert assumed == ["sluicegate", "sluicegate-ann", "sluicegate-bob"]


async def test_a_token_serves_for_minutes_and_is_made_anew_ahead_of_its_end_without_asking_aws(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    began = time.time() - clock.now
    sts.now = lambda: began + clock.now
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE_B),), sts_endpoint=sts.url)
    async with eks(identity, clock, now=sts.now) as credential:
        first = await token(credential, ann)
        clock.now += 11 * 60
        assert await token(credential, ann) == first
        clock.now += 60
        async with asyncio.timeout(30):
            while (made := await token(credential, ann)) == first:
                await asyncio.sleep(0)
    assert sts.actions == ["GetCallerIdentity", "AssumeRole"]
    assert (await asked_by_cluster(made, "prod-eu"))[0] == 200
    assert (await asked_by_cluster(first, "prod-eu"))[0] == 403


async def test_a_token_dies_with_the_keys_that_signed_it(sts: StsFront, clock: Clock, ann: Principal) -> None:
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE_B, seconds=900),), sts_endpoint=sts.url)
    async with eks(identity, clock) as credential:
        await token(credential, ann)
        clock.now += 890
        old = await token(credential, ann)
        clock.now += 20
        assert await token(credential, ann) != old
    assert sts.actions.count("AssumeRole") == 2


async def test_a_token_of_a_machine_whose_clock_is_off_bears_the_time_of_aws(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    identity = AwsIdentity("eu-west-1", (AwsRole(ROLE_B),), sts_endpoint=sts.url)
    async with eks(identity, clock, now=lambda: time.time() + 7200) as credential:
        text = await token(credential, ann)
    assert (await asked_by_cluster(text, "prod-eu"))[0] == 200
    said = parse_qs(urlsplit(url_of(text)).query)["X-Amz-Date"][0]
    signed_at = datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    assert abs(signed_at - time.time()) < 60
