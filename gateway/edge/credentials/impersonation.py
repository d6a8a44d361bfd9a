"""Who calls, told to a Kubernetes API server: its RBAC then judges the caller, and not the gateway.

Kubernetes, "User impersonation": the gateway's own identity needs the right to `impersonate`, and names the user and
the groups in headers. Names that begin with `system:` are those of Kubernetes itself; `system:masters` may do
everything without being asked. A token that names one would be the way into the cluster for whoever writes tokens, so
none is passed on that the settings do not allow.
"""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from gateway.edge.credentials.client_certificate import user_of_certificate
from gateway.edge.credentials.injector import CredentialError, Injector
from gateway.effects import Forward
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import Connection, ConnectionKind, Impersonation

SYSTEM = "system:"
VALUE_BYTES_MAX = 2048
_CLAIMS = b"impersonate-"


def impersonating(injector: Injector, connection: Connection) -> Injector:
    """The injector of a connection of kind `kubernetes`: one that names the caller where the settings say so. Of any
    other connection: `injector` itself."""
    if connection.kind != ConnectionKind.KUBERNETES:
        return injector
    own = user_of_certificate(connection.tls) if connection.kubeconfig is None else ""
    return ToCluster(injector, connection.cluster or connection.name, connection.impersonate, own)


class ToCluster:
    """`inner` for a cluster of this name. With `impersonation` the API server takes us for the caller, and what a
    client says itself of whom it wants to be is taken off; without, it is the exchange that lets that pass or not."""

    def __init__(
        self, inner: Injector, cluster: str, impersonation: Impersonation | None, own: str = ""
    ) -> None:
        self.inner = inner
        self._cluster = cluster
        self._impersonation = impersonation
        self._own = {"k8s.user": own} if own else {}  # of our certificate, which goes before any token there

    def __repr__(self) -> str:
        return f"<ToCluster {self._cluster} {self.inner!r}>"

    def strip(self, headers: Headers) -> Headers:
        """See `Injector`."""
        kept = self.inner.strip(headers)
        if self._impersonation is None:
            return kept
        return [pair for pair in kept if not pair[0].startswith(_CLAIMS)]

    async def headers(self, principal: Principal, client_token: str) -> Headers:
        """See `Injector`."""
        named = self._named(principal)
        return [*await self.inner.headers(principal, client_token), *named]

    async def authorize(self, asked: Forward, principal: Principal, client_token: str) -> Forward:
        """See `Injector`. The names are in before `inner` is asked, which may sign what it sees."""
        named = [*self.strip(asked.headers), *self._named(principal)]
        return await self.inner.authorize(replace(asked, headers=named), principal, client_token)

    def known(self) -> Mapping[str, str]:
        """See `Injector`."""
        return {"k8s.cluster.name": self._cluster, **self.inner.known(), **self._own}

    async def close(self) -> None:
        """See `Injector`."""
        await self.inner.close()

    def _named(self, principal: Principal) -> Headers:
        return named(principal, self._impersonation) if self._impersonation else []


def named(principal: Principal, terms: Impersonation) -> Headers:
    """The headers that name a caller. Raises CredentialError for one that must not or cannot be named.

    A group that must not be named is left out: rights are only ever added by groups. One that no header takes is too
    long or strange to be anybody's, and refuses the call.
    """
    user = terms.user_prefix + _user(principal, terms)
    if not _allowed(user, terms):
        raise CredentialError(
            "the caller's name is one of Kubernetes's own (`system:`), which is not passed on"
        )
    groups = [terms.groups_prefix + group for group in principal.groups] if terms.groups else []
    return [
        (b"impersonate-user", _value(user, "name")),
        *((b"impersonate-group", _value(group, "group")) for group in groups if _allowed(group, terms)),
    ]


def _user(principal: Principal, terms: Impersonation) -> str:
    if terms.user == "email":
        name, missing = principal.email, "e-mail address"
    elif terms.user == "subject":
        name, missing = principal.subject, "name"
    else:
        name = f"{principal.issuer}#{principal.subject}" if principal.issuer and principal.subject else ""
        missing = "name of a provider"
    if not name:
        raise CredentialError(f"the caller has no {missing} by which to be named to the cluster")
    return name


def _allowed(name: str, terms: Impersonation) -> bool:
    """Whether a name is no one of Kubernetes's own, or one that the settings allow. Case counts there as it does
    here; what looks like such a name in another case is nobody's, and not worth the doubt."""
    if not name.strip().lower().startswith(SYSTEM):
        return True
    return any(fnmatchcase(name, pattern) for pattern in terms.system_allowed)


def _value(text: str, what: str) -> bytes:
    """`text` as the value of a header, which an API server reads as UTF-8. What a header would lose or end with is
    refused: the API server would read another name."""
    value = text.encode("utf-8", "surrogatepass")
    if not text.isprintable() or text != text.strip() or len(value) > VALUE_BYTES_MAX:
        raise CredentialError(
            f"the caller has a {what} that no header takes, so it cannot be named to the cluster"
        )
    return value
