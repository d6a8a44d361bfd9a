"""Cloud credentials in the whole gateway: what upstream sees, what the client gets, and what the trail holds."""

import asyncio
import io
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from botocore.config import Config
from botocore.session import Session
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.settings import (
    AwsIdentity,
    AwsRole,
    Connection,
    ConnectionKind,
    EksToken,
    GoogleToken,
    SigV4,
)
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.cloud.api_front import api_front
from tests.gateway.cloud.conftest import BASE
from tests.gateway.cloud.google_front import POOL, GoogleKey, google_front
from tests.gateway.cloud.sts_front import StsFront, refusal
from tests.gateway.conftest import Served, Upstream, served
from tests.support.trail import frames_of, read_frames

ROLE = "arn:aws:iam::222222222222:role/prod-access"
THEIRS = "theirs-71cde0"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BASE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {THEIRS}"}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20), headers=headers) as session:
        yield session


def identity(sts: StsFront) -> AwsIdentity:
    return AwsIdentity("eu-west-1", (AwsRole(ROLE),), sts_endpoint=sts.url)


def cluster(sts: StsFront, upstream: Upstream) -> Connection:
    return Connection(
        "prod",
        ConnectionKind.KUBERNETES,
        credential=EksToken("prod-eu", identity(sts)),
        upstream=f"http://127.0.0.1:{upstream.port}",
        cluster="prod-eu",
    )


def under(gateway: Served, path: str) -> str:
    return f"http://127.0.0.1:{gateway.port}{path}"


async def asked(
    client: aiohttp.ClientSession, kafka: KafkaAddress, gateway: Served, path: str
) -> tuple[int, str, list[FrameRecorded]]:
    """Status and body of one GET, and its frames."""
    async with client.get(under(gateway, path)) as response:
        status, body = response.status, await response.text()
    recorded = await read_frames(kafka.bootstrap)
    last = max(recorded, key=lambda row: row.frame["recorded_at"]).frame["exchange_id"]
    return status, body, await frames_of(kafka.bootstrap, str(last), until=2)


async def test_a_cluster_of_eks_sees_the_gateways_token_and_the_record_says_as_whom(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, sts: StsFront
) -> None:
    async with served(kafka, cluster(sts, upstream), deadline_seconds=15) as gateway:
        status, body, frames = await asked(client, kafka, gateway, "/k8s/prod/api/v1/namespaces/x/pods")
        async with client.get(under(gateway, "/metrics")) as response:
            metrics = await response.text()
    assert (status, body) == (200, "{}")
    sent = upstream.seen.partition(b"authorization: Bearer k8s-aws-v1.")[2].partition(b"\r\n")[0].decode()
    url = urlsafe_b64decode(sent + "=" * (-len(sent) % 4)).decode()
    async with (
        aiohttp.ClientSession(headers={"x-k8s-aws-id": "prod-eu"}) as api_server,
        api_server.get(url) as response,
    ):
        assert "222222222222:assumed-role/prod-access" in await response.text()
    assert THEIRS.encode() not in upstream.seen
    attributes = dict(frames[0]["attributes"])  # type: ignore[call-overload]
    assert attributes["cloud.provider"] == "aws"
    assert attributes["cloud.account.id"] == "222222222222"
    assert attributes["cloud.role"] == ROLE
    assert attributes["k8s.cluster.name"] == "prod-eu"
    everything = f"{metrics}{[row.frame for row in await read_frames(kafka.bootstrap)]}"
    assert sent not in everything
    assert not any(secret in everything for secret in sts.secrets.values())


async def test_a_role_that_may_not_be_assumed_is_a_502_with_a_record_and_nothing_goes_upstream(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, sts: StsFront
) -> None:
    async def denied(of: dict[str, str]) -> web.Response | None:
        return refusal("AccessDenied") if of["Action"] == "AssumeRole" else None

    sts.behave = denied
    async with served(kafka, cluster(sts, upstream), deadline_seconds=15) as gateway:
        status, body, frames = await asked(client, kafka, gateway, "/k8s/prod/api/v1/namespaces/x/pods")
    assert status == 502
    assert "AWS STS refused AssumeRole (AccessDenied)" in json.loads(body)["message"]
    assert upstream.requests == 0
    assert frames[-1]["reason_code"] == "credential_unavailable"
    assert frames[-1]["outcome"] == "upstream_failed"


async def test_an_ordinary_client_of_s3_works_through_the_gateway_with_keys_that_are_nobodys(
    kafka: KafkaAddress, sts: StsFront, moto_url: str
) -> None:
    async with api_front(sts.secrets, s3=True, moto=moto_url) as front:
        connection = Connection(
            "s3", ConnectionKind.HTTP, credential=SigV4("s3", identity(sts)), upstream=front.url
        )
        async with served(kafka, connection, deadline_seconds=15) as gateway:
            s3 = _client_of_s3(under(gateway, "/http/s3"))
            found = await asyncio.to_thread(_uses, s3)
            recorded = [row.frame for row in await read_frames(kafka.bootstrap)]
    assert found == {"body": b"hello", "of_file": b"from a file", "keys": ["a b/(c)+é.txt", "file"]}
    assert all(THEIRS not in f"{came.headers}{came.query}" for came in front.arrived)
    paths = {str(frame["http_path"]) for frame in recorded if frame["connection"] == "s3"}
    assert any(path.startswith("/http/s3/things/") for path in paths)
    assert not any(secret in str(recorded) for secret in sts.secrets.values())


def _client_of_s3(url: str) -> Any:
    return Session().create_client(
        "s3",
        "eu-west-1",
        endpoint_url=url,
        aws_access_key_id=THEIRS,
        aws_secret_access_key=THEIRS,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, read_timeout=20),
    )


def _uses(s3: Any) -> dict[str, Any]:
    """Makes a bucket, writes, lists, reads and deletes."""
    s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="things", Key="a b/(c)+é.txt", Body=b"hello", Metadata={"note": "a  b"})
    s3.put_object(Bucket="things", Key="file", Body=io.BytesIO(b"from a file"))
    listed = s3.list_objects_v2(Bucket="things", MaxKeys=10)
    read = partial(s3.get_object, Bucket="things")
    found = {
        "body": read(Key="a b/(c)+é.txt")["Body"].read(),
        "of_file": read(Key="file")["Body"].read(),
        "keys": [entry["Key"] for entry in listed["Contents"]],
    }
    s3.delete_object(Bucket="things", Key="file")
    return found


async def test_an_api_of_google_sees_the_gateways_token_and_the_record_says_as_whom(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, tmp_path: Path
) -> None:
    private = rsa.generate_private_key(65_537, 2048)
    (tmp_path / "subject").write_text("of-the-file")
    async with google_front(private.public_key()) as there:
        file = GoogleKey(tmp_path, private).federation({"file": str(tmp_path / "subject")})
        file.write_text(file.read_text().replace("https://", f"{there.url}/"))
        connection = Connection(
            "gke",
            ConnectionKind.KUBERNETES,
            credential=GoogleToken(file),
            upstream=f"http://127.0.0.1:{upstream.port}",
        )
        async with served(kafka, connection, deadline_seconds=15) as gateway:
            await asked(client, kafka, gateway, "/k8s/gke/api/v1/pods")
            status, _, frames = await asked(client, kafka, gateway, "/k8s/gke/api/v1/pods")
    assert status == 200
    assert upstream.seen.count(b"authorization: Bearer ya29.token-1\r\n") == 2
    attributes = dict(frames[0]["attributes"])  # type: ignore[call-overload]
    assert attributes["cloud.provider"] == "gcp"
    assert attributes["cloud.account.id"] == "123456"
    assert attributes["cloud.role.source"] == POOL
    assert "ya29" not in str(frames)
