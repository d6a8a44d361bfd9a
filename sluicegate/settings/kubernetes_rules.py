"""What takes two settings of a connection to know, where one of them is of kind `kubernetes`."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from sluicegate.settings.addresses import is_loopback_host
from sluicegate.settings.connection import ConnectionBlock
from sluicegate.settings.kubernetes import ImpersonationBlock
from sluicegate.settings.source import Loc

Fault = tuple[Loc, str]
_ITS_OWN = ("kubeconfig", "in_cluster", "cluster", "impersonate")
_SYSTEM = "system:"
_WRONG_CREDENTIALS = {
    "aws_sigv4": "signs requests to APIs of AWS, which a Kubernetes API server is not; for EKS write `kind: eks`",
    "session_token": "is a token of this gateway, which no API server takes; write a credential of the cluster",
    "basic": "is taken by no API server since Kubernetes 1.19; write `kind: service_account` or `bearer`",
}


def kubernetes_faults(connection: ConnectionBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    """Everything wrong with what Kubernetes alone has, and with what is not for it."""
    if connection.kind != "kubernetes":
        yield from _only_for_kubernetes(connection, loc)
        return
    yield from _way(connection, loc)
    yield from _not_for_kubernetes(connection, loc)
    yield from _impersonation(connection, (*loc, "impersonate"), mode)


def one_name_faults(connection: ConnectionBlock, loc: Loc, issuers: int) -> Iterator[Fault]:
    """Callers of different providers that the API server would take for one."""
    block = connection.impersonate
    user = block.user if isinstance(block, ImpersonationBlock) else "subject"
    if block and issuers > 1 and user == "subject":
        yield (
            (*loc, "impersonate"),
            "callers of different issuers can have the same subject, and would be one user to the API server; write "
            '`impersonate: {user: "issuer#subject"}`',
        )


def in_a_pod() -> bool:
    """Whether this process runs in a cluster, as its environment says."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST"))


def _only_for_kubernetes(connection: ConnectionBlock, loc: Loc) -> Iterator[Fault]:
    for name in _ITS_OWN:
        if name in connection.model_fields_set:
            yield (
                (*loc, name),
                "is for connections of kind `kubernetes`; write `kind: kubernetes`, or remove it",
            )
    if connection.credential and str(connection.credential.kind) == "eks":
        yield (
            (*loc, "credential", "kind"),
            "is for connections of kind `kubernetes`; APIs of AWS take `aws_sigv4`",
        )


def _way(connection: ConnectionBlock, loc: Loc) -> Iterator[Fault]:
    """One of three ways leads to the API server, and the last two say what is shown to it too."""
    ways = [name for name in ("upstream", "kubeconfig", "in_cluster") if getattr(connection, name)]
    if connection.command:
        yield (
            (*loc, "command"),
            "speaks MCP; an API server is reached by `upstream`, `kubeconfig` or `in_cluster: true`",
        )
    elif not ways:
        yield loc, "of kind `kubernetes` needs `upstream` (a URL), `kubeconfig` or `in_cluster: true`"
    for name in ways[1:]:
        yield (*loc, name), f"says where the API server is, and so does `{ways[0]}`; keep one"
    if ways[:1] in (["kubeconfig"], ["in_cluster"]):
        for name in ("tls", "credential"):
            if getattr(connection, name):
                yield (
                    (*loc, name),
                    f"is said by `{ways[0]}` already; remove it, or write `upstream` in place of that",
                )
    if connection.upstream:
        yield from _upstream(connection.upstream, (*loc, "upstream"))


def _upstream(url: str, loc: Loc) -> Iterator[Fault]:
    parts = urlsplit(url)
    if parts.query:
        yield loc, "must not have a `?`: what stands behind its path is the request's own"
    if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        yield (
            loc,
            "must be https: over http anybody on the way reads the token; http is for loopback addresses only",
        )


def _not_for_kubernetes(connection: ConnectionBlock, loc: Loc) -> Iterator[Fault]:
    if "tools" in connection.model_fields_set:
        yield (*loc, "tools"), "are of MCP servers; an API server has none, remove it"
    kind = connection.credential.kind if connection.credential else ""
    if kind in _WRONG_CREDENTIALS:
        yield (*loc, "credential", "kind"), _WRONG_CREDENTIALS[kind]


def _impersonation(connection: ConnectionBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    block = connection.impersonate
    if not block:
        return
    if mode == "none":
        yield loc, "without identity there is nobody to name to the API server; set `identity.mode: oidc`"
    if not isinstance(block, ImpersonationBlock):
        return
    for index, name in enumerate(block.system_allowed):
        if not name.startswith(_SYSTEM):
            yield (
                (*loc, "system_allowed", index),
                "must begin with `system:`; no other name needs to be allowed",
            )
    if not block.groups and "groups_prefix" in block.model_fields_set:
        yield (
            (*loc, "groups_prefix"),
            "stands before groups, and `groups: false` passes none on; remove one of both",
        )
    for prefix in ("user_prefix", "groups_prefix"):
        if getattr(block, prefix).startswith(_SYSTEM):
            yield (
                (*loc, prefix),
                "would make every caller one of Kubernetes's own names; write another one",
            )
