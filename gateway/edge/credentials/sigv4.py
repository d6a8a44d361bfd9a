"""Requests to AWS APIs, each signed (Signature Version 4) as upstream gets it: method, path, query, headers, body.

The client's own signature goes no further, wherever it stands. Path and query are first written in the one form that
AWS computes them in, so that what is sent is what was signed.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSRequest

from gateway.edge.credentials.aws import AwsKeys
from gateway.edge.credentials.aws_chunked import is_framed, unframed
from gateway.edge.credentials.aws_keys import Keys
from gateway.edge.credentials.aws_signing import HeaderSigner, S3Signer
from gateway.edge.credentials.injector import CredentialError, Stripping
from gateway.edge.target import wire_target
from gateway.effects import Forward
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import SigV4

UNRESERVED = "-_.~"
BIG_BYTES = 256 * 1024  # the digest of more than this is made in a thread
# what S3 takes as S3's own service name in a signature, or signs by its rules
_S3 = frozenset({"s3", "s3-object-lambda", "s3-outposts", "s3express"})
_SIGNATURES = frozenset({b"x-amz-date", b"x-amz-content-sha256", b"x-amz-security-token", b"date"})
_IN_QUERY = frozenset(
    {
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-security-token"),
        *("x-amz-signature", "x-amz-signedheaders", "x-amz-content-sha256"),
    }
)
_SIGNED = (b"content-type", b"content-md5", b"range")


class SigV4Credential(Stripping):
    """`upstream`: the URL of the API, whose host is signed as it stands there."""

    def __init__(self, credential: SigV4, keys: AwsKeys, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._service = credential.service
        self._keys = keys
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._authority = parts.netloc
        self._base = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._signer: Any = S3Signer if credential.service in _S3 else HeaderSigner

    def strip(self, headers: Headers) -> Headers:
        """See `Injector`. The client's signature is taken off with all that only it is for."""
        return [pair for pair in super().strip(headers) if pair[0] not in _SIGNATURES]

    async def authorize(self, asked: Forward, principal: Principal, client_token: str) -> Forward:  # noqa: ARG002
        """See `Injector`."""
        keys = await self._keys.get(principal)
        plain = self._plain(asked)
        digest = await self._digest(plain.body)
        try:
            return replace(plain, headers=[*plain.headers, *self._signed(plain, keys, digest)])
        except UnicodeDecodeError:
            raise CredentialError("a header that AWS wants signed is not text") from None

    def known(self) -> Mapping[str, str]:
        """See `Injector`."""
        return self._keys.known()

    async def close(self) -> None:
        """See `Injector`."""
        await self._keys.close()

    def _plain(self, asked: Forward) -> Forward:
        headers, body = asked.headers, asked.body
        if is_framed(headers):
            try:
                headers, body = unframed(headers, body)
            except ValueError as error:
                raise CredentialError(f"a body in aws-chunked cannot be signed: {error}") from None
        return replace(
            asked,
            headers=self.strip(headers),
            body=body,
            target=canonical_path(asked.target),
            query=canonical_query(asked.query),
        )

    async def _digest(self, body: bytes) -> str:
        if len(body) > BIG_BYTES:
            return await self._keys.run(lambda: sha256(body).hexdigest())
        return sha256(body).hexdigest()

    def _signed(self, asked: Forward, keys: Keys, digest: str) -> Headers:
        """The headers that the signature adds. Headers that others on the way may change are not signed."""
        request = AWSRequest(asked.method, self._origin + wire_target(self._base, asked))
        request.context["body_digest"] = digest
        request.headers["host"] = self._authority
        for name, value in asked.headers:
            if name.startswith(b"x-amz-") or name in _SIGNED:
                request.headers[name.decode("ascii")] = value.decode("utf-8")
        given = len(request.headers)
        self._signer(self._keys.clock, keys, self._service, self._keys.region).add_auth(request)
        added = request.headers.items()[given:]
        return [(name.lower().encode("ascii"), str(value).encode("ascii")) for name, value in added]


def canonical_path(path: str) -> str:
    """Each segment decoded and encoded again by RFC 3986, as AWS does before it checks a signature."""
    return "/".join(_encoded(segment) for segment in path.split("/"))


def canonical_query(query: str) -> str:
    """The same for each name and value, without a client's own signature. `+` is a space, as AWS takes it."""
    pairs = (pair.partition("=") for pair in query.replace("+", "%20").split("&") if pair)
    kept = ((_encoded(name), mark, _encoded(value)) for name, mark, value in pairs)
    return "&".join(name + mark + value for name, mark, value in kept if name.lower() not in _IN_QUERY)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe=UNRESERVED)
