"""A Kubernetes service account: its token out of a file that the cluster renews, and how a pod finds its cluster."""

import os
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from gateway.edge.credentials.injector import CredentialError, Stripping
from gateway.edge.credentials.secret import Clock, Secret
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import SecretSource, ServiceAccount, UpstreamTls

POD_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_ACCOUNT = "system:serviceaccount:"
_NAME_MAX = 512


@dataclass(frozen=True, slots=True)
class InCluster:
    """How a pod reaches the API server of the cluster that it runs in."""

    upstream: str
    tls: UpstreamTls
    credential: ServiceAccount


def in_cluster(environ: Mapping[str, str] = os.environ, folder: Path = POD_FOLDER) -> InCluster:
    """What a cluster tells its pods (Kubernetes, "Accessing the API from a Pod"). Where the environment names no
    server, this is no pod, and what is given is what a pod would have."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    authority = (f"[{host}]" if ":" in host else host) + f":{port}" if host else "kubernetes.default.svc"
    return InCluster(
        f"https://{authority}", UpstreamTls(ca_file=folder / "ca.crt"), ServiceAccount(folder / "token")
    )


class ServiceAccountToken(Stripping):
    """The token as it is now: a bound token is another one every hour, and the kubelet puts it into the same file."""

    def __init__(self, credential: ServiceAccount, connection: str, clock: Clock = time.monotonic) -> None:
        self._secret = Secret(SecretSource(file=credential.token_file), connection, clock=clock)

    def __repr__(self) -> str:
        return f"<ServiceAccountToken {self._secret!r}>"

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`."""
        token = self._secret.text()
        if not token.isascii():
            raise CredentialError("its secret holds characters that no header takes")
        return [(b"authorization", b"Bearer " + token.encode("ascii"))]

    def known(self) -> Mapping[str, str]:
        """See `Injector`. Whom the token names that will be shown."""
        try:
            user = account_of(self._secret.text())
        except CredentialError:
            return {}
        return {"k8s.user": user} if user else {}


@lru_cache(maxsize=64)
def account_of(token: str) -> str:
    """`system:serviceaccount:NAMESPACE:NAME` as a service account's token says it, unverified: for the record. '' for
    any other token, of which nothing is told."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:  # also msgspec.DecodeError
        return ""
    subject = claims.get("sub") if isinstance(claims, dict) else None
    named = isinstance(subject, str) and subject.startswith(_ACCOUNT) and subject.isprintable()
    return str(subject)[:_NAME_MAX] if named else ""
