"""What is wrong in the files that the settings name: policies, certificates, keys. Read as the gateway reads them."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from sluicegate.settings.blocks import ServerTlsBlock
from sluicegate.settings.connection import UpstreamTlsBlock
from sluicegate.settings.connection_rules import Fault
from sluicegate.settings.kubernetes import KubeConfigBlock
from sluicegate.settings.kubernetes_rules import in_a_pod
from sluicegate.settings.masking import Profile
from sluicegate.settings.model import Settings
from sluicegate.settings.source import Loc

FAULTS_TOLD_MAX = 20
NO_POD = (
    "this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): check it in the pod, or write `kubeconfig` or "
    "`upstream`"
)
_SSL_REASONS = {
    "KEY_VALUES_MISMATCH": "the key is not that of the certificate",
    "NO_CERTIFICATE_OR_CRL_FOUND": "holds no certificate (PEM)",
    "NO_START_LINE": "holds no certificate or no key (PEM)",
    "": "the key cannot be read; one under a passphrase is of no use, as nobody is there to be asked",
}


def files_faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong in the files, told where they are named. Files that are not there are told by other rules."""
    yield from _policies(settings)
    if settings.gateway.tls:
        yield from _tried(("gateway", "tls"), _server(settings.gateway.tls))
    if settings.approvals.tls:
        yield from _tried(("approvals", "tls"), _server(settings.approvals.tls))
    for index, issuer in enumerate(settings.identity.issuers):
        yield from _authorities(issuer, ("identity", "issuers", index))
    for index, connection in enumerate(settings.connections):
        loc = ("connections", index)
        if connection.tls:
            yield from _tried((*loc, "tls"), _client(connection.tls))
        if connection.kubeconfig:
            yield from _kubeconfig(connection.kubeconfig, (*loc, "kubeconfig", "file"))
        if connection.openapi and connection.openapi.is_file():
            yield from _openapi(connection.openapi, connection.upstream or "", (*loc, "openapi"))
        if connection.in_cluster and not in_a_pod():
            yield (*loc, "in_cluster"), NO_POD
        if connection.credential:
            yield from _authorities(connection.credential, (*loc, "credential"))


def _policies(settings: Settings) -> Iterator[Fault]:
    """One line for each fault of a policy, with its place in that file."""
    for index, connection in enumerate(settings.connections):
        if connection.policy and connection.policy.is_file():
            from gateway.policy import PolicyError, load_policy  # noqa: PLC0415 - see `connection_rules._condition`

            try:
                load_policy(connection.policy, get_args(Profile))
            except PolicyError as error:
                loc = ("connections", index, "policy")
                yield from ((loc, line) for line in str(error).splitlines()[:FAULTS_TOLD_MAX])


def _openapi(file: Path, upstream: str, loc: Loc) -> Iterator[Fault]:
    """What keeps the document of an API from being used."""
    from gateway.openapi import OpenApiError, operations_of  # noqa: PLC0415 - see `connection_rules._condition`

    try:
        operations_of(file, upstream)
    except OpenApiError as error:
        yield loc, str(error)


def _kubeconfig(block: KubeConfigBlock, loc: Loc) -> Iterator[Fault]:
    """One line for each fault of a kubeconfig's context, then whether its certificates can be used."""
    from gateway.edge.credentials.kubeconfig_file import KubeConfigError, read_context  # noqa: PLC0415
    from gateway.edge.tls import ClientTls  # noqa: PLC0415
    from gateway.settings import KubeConfig  # noqa: PLC0415

    if not block.file.is_file():
        return  # told already
    try:
        context = read_context(KubeConfig(**block.model_dump()))
    except KubeConfigError as error:
        yield from ((loc, line) for line in error.faults[:FAULTS_TOLD_MAX])
    else:
        yield from _tried(loc, ClientTls(context.tls).context)


def _authorities(block: object, loc: Loc) -> Iterator[Fault]:
    file = getattr(block, "ca_file", None)
    if file:
        yield from _tried((*loc, "ca_file"), lambda: ssl.create_default_context(cafile=file))


def _server(tls: ServerTlsBlock) -> Callable[[], object]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return lambda: context.load_cert_chain(tls.certificate_file, tls.key_file, password=lambda: "")


def _client(tls: UpstreamTlsBlock) -> Callable[[], object]:
    from gateway.edge.tls import ClientTls  # noqa: PLC0415 - takes its time to import; few files need it
    from gateway.settings import UpstreamTls  # noqa: PLC0415

    return ClientTls(UpstreamTls(**tls.model_dump())).context


def _tried(loc: Loc, use: Callable[[], object]) -> Iterator[Fault]:
    try:
        use()
    except FileNotFoundError:
        pass  # told already
    except ssl.SSLError as error:
        reason = error.reason or ""
        yield loc, _SSL_REASONS.get(reason, f"cannot be used: {reason}")
    except OSError as error:
        yield loc, f"cannot be read: {error.strerror}"
