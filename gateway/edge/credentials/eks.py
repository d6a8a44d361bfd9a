"""The token of an EKS cluster's Kubernetes API: a GetCallerIdentity request to STS, signed and not sent.

The API server sends it, and takes us for whom STS says it came from."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import partial

from botocore.awsrequest import AWSRequest

from gateway.edge.credentials.aws import AwsKeys
from gateway.edge.credentials.aws_keys import Keys
from gateway.edge.credentials.aws_signing import NO_BODY, AwsClock, UrlSigner
from gateway.edge.credentials.by_caller import ByCaller
from gateway.edge.credentials.injector import Stripping
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.token import Token
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import EksToken

PREFIX = "k8s-aws-v1."
SIGNED_SECONDS = 60  # what X-Amz-Expires says
LIFE_SECONDS = 14 * 60.0  # the cluster takes it for 15 minutes from X-Amz-Date
_ASKED = "/?Action=GetCallerIdentity&Version=2011-06-15"


def token_of(cluster: str, keys: Keys, sts_url: str, region: str, clock: AwsClock) -> str:
    """The token for a cluster, by its name, which is signed with it: it is good for no other one."""
    request = AWSRequest("GET", sts_url.rstrip("/") + _ASKED, headers={"x-k8s-aws-id": cluster})
    request.context["body_digest"] = NO_BODY
    UrlSigner(clock, keys, "sts", region, SIGNED_SECONDS).add_auth(request)
    return PREFIX + urlsafe_b64encode(request.url.encode("ascii")).decode("ascii").rstrip("=")


class EksCredential(Stripping):
    """A token for all callers, or for each where their roles' sessions bear their names."""

    def __init__(
        self, credential: EksToken, keys: AwsKeys, connection: str, clock: Clock = time.monotonic
    ) -> None:
        self._cluster = credential.cluster
        self._keys = keys
        self._clock = clock
        self._tokens = ByCaller[Token](connection, apart=keys.by_caller, clock=clock)

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`."""
        token = await self._tokens.get(principal, partial(self._ask, principal))
        return [(b"authorization", token.header)]

    def known(self) -> Mapping[str, str]:
        """See `Injector`."""
        return {**self._keys.known(), "k8s.cluster.name": self._cluster}

    async def close(self) -> None:
        """See `Injector`."""
        await asyncio.gather(self._tokens.close(), self._keys.close())

    async def _ask(self, principal: Principal) -> Token:
        """A token dies with the keys that it was signed with."""
        keys = await self._keys.get(principal)
        text = await self._keys.run(partial(self._signed, keys))
        return Token(b"Bearer " + text.encode("ascii"), min(LIFE_SECONDS, keys.ends_at - self._clock()))

    def _signed(self, keys: Keys) -> str:
        sts = self._keys.sts
        return token_of(self._cluster, keys, sts.url(), self._keys.region, sts.clock)
