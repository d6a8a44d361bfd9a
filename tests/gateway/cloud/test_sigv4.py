"""Requests to APIs of AWS: what arrives is signed, and nothing of a client's own signature arrives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256

import pytest

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.aws import AwsKeys
from gateway.edge.credentials.sigv4 import SigV4Credential
from gateway.edge.upstream import HttpUpstream
from gateway.effects import Forward
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import AwsIdentity, AwsRole, Connection, SigV4
from tests.gateway.cloud.api_front import ApiFront, Arrived, api_front
from tests.gateway.cloud.conftest import BASE, Clock
from tests.gateway.cloud.sts_front import StsFront

ROLE = "arn:aws:iam::222222222222:role/reader"
ASKED = Forward("s", "GET", "", [], b"", "/bucket/key")
CHUNKED = (
    b"5;chunk-signature=ab12\r\nhello\r\n6;chunk-signature=cd34\r\n world\r\n0;chunk-signature=ef56\r\n"
    b"x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:0123\r\n\r\n"
)
FRAMING: Headers = [
    (b"content-encoding", b"aws-chunked"),
    (b"x-amz-content-sha256", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    (b"x-amz-decoded-content-length", b"11"),
    (b"x-amz-trailer", b"x-amz-checksum-crc32"),
]

TARGETS = (
    ("/", ""),
    ("", ""),
    ("/bucket/a%20b", ""),
    ("/bucket/a+b", ""),
    ("/bucket/(a)!*'$&,;=@:b", ""),
    ("/bucket/a%2Fb%3Fc", ""),
    ("/bucket/%e4%b8%ad%E6%96%87", ""),
    ("/bucket/%41%42~-._", ""),
    ("/functions/arn%3Aaws%3Alambda/versions:1", ""),
    ("/bucket", "acl"),
    ("/bucket", "uploads="),
    ("/bucket", "prefix=a/b&delimiter=/&list-type=2"),
    ("/bucket", "prefix=a+b&marker=%2B"),
    ("/bucket", "z=1&a=2&a=1&a=10&A=3"),
    ("/bucket", "key=%e4%b8%ad&empty=&lone"),
    ("/bucket", "a=b=c&d=(e)*'!"),
    ("/bucket", "&&a=1&"),
)


class Api:
    """A credential, and the API that it is for."""

    def __init__(self, front: ApiFront, credential: SigV4Credential, upstream: HttpUpstream) -> None:
        self.front = front
        self.credential = credential
        self._upstream = upstream

    async def ask(self, asked: Forward, principal: Principal) -> tuple[int, Arrived]:
        """The status, and what arrived."""
        signed = await self.credential.authorize(asked, principal, "")
        answering = await self._upstream.ask(signed)
        head = await answering.head()
        await answering.body(100_000)
        self._upstream.done(answering)
        return head.status, self.front.arrived[-1]


@asynccontextmanager
async def api(
    sts: StsFront, clock: Clock, service: str = "s3", *, base: str = "", roles: tuple[AwsRole, ...] = ()
) -> AsyncIterator[Api]:
    identity = AwsIdentity("eu-west-1", roles, sts_endpoint=sts.url)
    keys = AwsKeys(identity, "aws", environ=BASE, clock=clock)
    async with api_front(sts.secrets, s3=service == "s3") as front:
        url = front.url + base
        credential = SigV4Credential(SigV4(service, identity), keys, url)
        upstream = HttpUpstream(Connection("aws", upstream=url))
        try:
            yield Api(front, credential, upstream)
        finally:
            await upstream.close()
            await credential.close()


@pytest.mark.parametrize("service", ["s3", "lambda"])
async def test_every_method_arrives_signed(sts: StsFront, clock: Clock, ann: Principal, service: str) -> None:
    async with api(sts, clock, service) as there:
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
            body = b"" if method in ("GET", "DELETE") else b'{"a": 1}'
            status, arrived = await there.ask(replace(ASKED, method=method, body=body), ann)
            assert (status, arrived.method, arrived.body) == (200, method, body)


@pytest.mark.parametrize("service", ["s3", "lambda"])
async def test_whatever_path_and_query_arrive_signed(
    sts: StsFront, clock: Clock, ann: Principal, service: str
) -> None:
    async with api(sts, clock, service) as there:
        found = [
            (await there.ask(replace(ASKED, target=target, query=query), ann))[0] for target, query in TARGETS
        ]
    assert [pair for pair, status in zip(TARGETS, found, strict=True) if status != 200] == []


async def test_the_path_of_the_url_is_signed_with_the_clients_below_it(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    async with api(sts, clock, "lambda", base="/prod/?stage=1") as there:
        status, arrived = await there.ask(replace(ASKED, target="/things", query="b=2"), ann)
    assert (status, arrived.path, arrived.query) == (200, "/prod/things", "stage=1&b=2")


async def test_the_body_is_signed_and_a_big_one_too(sts: StsFront, clock: Clock, ann: Principal) -> None:
    body = bytes(range(256)) * 4_000
    async with api(sts, clock) as there:
        status, arrived = await there.ask(replace(ASKED, method="PUT", body=body), ann)
    assert status == 200
    assert arrived.headers["x-amz-content-sha256"] == sha256(body).hexdigest()


async def test_the_keys_of_a_role_come_with_its_session_token(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    async with api(sts, clock, roles=(AwsRole(ROLE),)) as there:
        status, arrived = await there.ask(ASKED, ann)
        known = dict(there.credential.known())
    assert status == 200
    assert arrived.headers["x-amz-security-token"]
    assert "x-amz-security-token" in arrived.headers["authorization"]
    assert known["cloud.role"] == ROLE
    assert "k8s.cluster.name" not in known


async def test_nothing_of_the_clients_own_signature_arrives(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    theirs: Headers = [
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=theirs/x, SignedHeaders=host, Signature=theirs"),
        (b"x-amz-date", b"20200101T000000Z"),
        (b"x-amz-security-token", b"theirs"),
        (b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"),
        (b"cookie", b"theirs"),
        (b"x-amz-meta-note", b"  kept  as it is "),
    ]
    names = ("X-Amz-Signature", "X-Amz-Credential", "x-amz-security-token", "X%2DAmz-Date")
    query = "&".join(["list-type=2", *(f"{name}=theirs" for name in names)])
    async with api(sts, clock) as there:
        status, arrived = await there.ask(replace(ASKED, headers=theirs, query=query), ann)
    assert status == 200
    assert "theirs" not in f"{arrived.headers}{arrived.query}"
    assert arrived.query == "list-type=2"
    assert "x-amz-meta-note" in arrived.headers["authorization"]


async def test_what_others_may_change_on_the_way_is_not_signed(
    sts: StsFront, clock: Clock, ann: Principal
) -> None:
    headers: Headers = [(b"user-agent", b"x"), (b"traceparent", b"00-1-2-01"), (b"accept", b"*/*")]
    async with api(sts, clock, "lambda") as there:
        signed = await there.credential.authorize(
            replace(ASKED, headers=[*headers, (b"content-type", b"a/b")]), ann, ""
        )
    assert headers == signed.headers[:3]
    authorization = dict(signed.headers)[b"authorization"]
    assert b"SignedHeaders=content-type;host;x-amz-date," in authorization


@pytest.mark.parametrize("signed_by_client", [True, False])
async def test_a_body_in_chunks_arrives_plain_and_signed_with_its_checksum(
    sts: StsFront, clock: Clock, ann: Principal, signed_by_client: bool
) -> None:
    body = CHUNKED if signed_by_client else b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    async with api(sts, clock) as there:
        asked = replace(ASKED, method="PUT", headers=FRAMING, body=body)
        status, arrived = await there.ask(asked, ann)
    assert (status, arrived.body) == (200, b"hello world")
    assert arrived.headers["x-amz-checksum-crc32"] == "DUoRhQ=="
    assert "x-amz-checksum-crc32" in arrived.headers["authorization"]
    gone = {"content-encoding", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-trailer-signature"}
    assert not gone & arrived.headers.keys()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello world",
        b"5\r\nhello\r\n",
        b"5\r\nhello world\r\n0\r\n\r\n",
        b"b\r\nhello worl",
        b"a\r\nhello worl\r\n0\r\n\r\n",
        b"b\r\nhello world\r\n0\r\nhost: elsewhere\r\n\r\n",
        b"b\r\nhello world\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_body_whose_chunks_are_broken_is_not_sent(
    sts: StsFront, clock: Clock, ann: Principal, body: bytes
) -> None:
    async with api(sts, clock) as there:
        with pytest.raises(CredentialError, match="aws-chunked cannot be signed"):
            await there.ask(replace(ASKED, method="PUT", headers=FRAMING, body=body), ann)
        assert not there.front.arrived


async def test_a_coding_beside_the_framing_stays(sts: StsFront, clock: Clock, ann: Principal) -> None:
    headers = [(b"content-encoding", b"compress, aws-chunked"), *FRAMING[1:]]
    async with api(sts, clock) as there:
        _, arrived = await there.ask(replace(ASKED, method="PUT", headers=headers, body=CHUNKED), ann)
    assert arrived.headers["content-encoding"] == "compress"


async def test_a_header_that_is_no_text_is_not_sent(sts: StsFront, clock: Clock, ann: Principal) -> None:
    async with api(sts, clock) as there:
        with pytest.raises(CredentialError, match="not text"):
            await there.ask(replace(ASKED, headers=[(b"x-amz-meta-a", b"\xff")]), ann)
