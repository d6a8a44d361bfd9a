"""A connection by its kubeconfig: where the API server is, who vouches for it, and what it is shown.

The file is looked at once a second and read again when it has changed. What it says of credentials and certificates
is in force from then on; another server needs a restart, for a credential must not follow a file to where nobody
meant it.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from gateway.edge.credentials.client_certificate import common_name, user_of_certificate
from gateway.edge.credentials.exec_answer import ExecCredential
from gateway.edge.credentials.exec_plugin import ExecProgram
from gateway.edge.credentials.held import Held
from gateway.edge.credentials.impersonation import ToCluster
from gateway.edge.credentials.injector import CredentialError, Injector, Stripping
from gateway.edge.credentials.kubeconfig_file import KubeConfigError, KubeContext, read_context
from gateway.edge.credentials.kubeconfig_user import User
from gateway.edge.credentials.secret import LOOK_SECONDS, Clock, Secret
from gateway.edge.credentials.service_account import account_of
from gateway.edge.tls import TlsSource
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import Connection, KubeConfig, SecretSource, UpstreamTls

log = structlog.get_logger("credentials")

_Stamp = tuple[int, int, int]


def resolved(connection: Connection) -> Connection:
    """The connection with the `upstream` and `tls` of its kubeconfig; itself when it has none. Raises
    KubeConfigError (a ValueError) with all that is wrong."""
    if connection.kubeconfig is None:
        return connection
    context = read_context(connection.kubeconfig)
    return replace(connection, upstream=context.server, tls=context.tls)


def kubeconfig_credential(connection: Connection) -> Injector:
    """The injector of a connection with a kubeconfig. Raises KubeConfigError with all that is wrong with it."""
    if connection.kubeconfig is None:
        raise ValueError(f"connection {connection.name} has no kubeconfig")
    return KubeConfigCredential(connection.kubeconfig, connection.name)


def certificate_of(injector: Injector) -> TlsSource | None:
    """Where TLS towards upstream is told anew at each use: by a kubeconfig's injector. None for any other."""
    inner = injector.inner if isinstance(injector, ToCluster) else injector
    return inner.tls if isinstance(inner, KubeConfigCredential) else None


class KubeConfigFile:
    """A kubeconfig's context as it is now."""

    def __init__(self, source: KubeConfig, connection: str, clock: Clock) -> None:
        self._source = source
        self._connection = connection
        self._clock = clock
        self._stamp = self._stamp_now()
        self._context = read_context(source)
        self._server = self._context.server
        self._look_at = clock() + LOOK_SECONDS
        self._fault = ""

    def context(self) -> KubeContext:
        """Raises CredentialError while the file cannot be used."""
        if self._clock() >= self._look_at:
            self._look()
            self._look_at = self._clock() + LOOK_SECONDS
        if self._fault:
            raise CredentialError(self._fault)
        return self._context

    def _look(self) -> None:
        stamp = self._stamp_now()
        if stamp == self._stamp and stamp is not None and not self._fault:
            return
        self._stamp = stamp
        try:
            context = read_context(self._source)
        except KubeConfigError as error:
            self._tell("its kubeconfig cannot be used", error.faults)
            return
        if context.server != self._server:
            self._tell("its kubeconfig names another server now; restart the gateway to use it", ())
            return
        self._tell("", ())
        if context != self._context:
            self._context = context

    def _stamp_now(self) -> _Stamp | None:
        try:
            status = self._source.file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _tell(self, fault: str, details: tuple[str, ...]) -> None:
        if fault and fault != self._fault:
            where = {"connection": self._connection, "file": str(self._source.file)}
            log.error("credential_unavailable", reason=fault, detail="; ".join(details), **where)
        self._fault = fault


class KubeConfigCredential(Stripping):
    """What a kubeconfig's user shows: a token, a client certificate (by `tls`), or what its program gives."""

    def __init__(
        self,
        source: KubeConfig,
        connection: str,
        *,
        clock: Clock = time.monotonic,
        wall: Clock = time.time,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._source = source
        self._connection = connection
        self._clock = clock
        self._wall = wall
        self._environ = environ
        self._file = KubeConfigFile(source, connection, clock)
        self._user = ""
        self._program: ExecProgram | None = None
        self._secret: Secret | None = None
        self._past: list[Held[ExecCredential]] = []
        self._held: Held[ExecCredential] = Held(connection, clock)
        self._adopt(self._file.context())

    def __repr__(self) -> str:
        return f"<KubeConfigCredential {self._source.file}>"

    async def headers(self, principal: Principal, client_token: str) -> Headers:
        """See `Injector`. From then on `tls` gives what goes with it."""
        self._look()
        program = self._program
        if program is None:
            return _bearer(self._token())
        given = self._held.current(program.ask) or await self._held.awaited(program.ask)
        if program is not self._program:  # the file has changed meanwhile
            return await self.headers(principal, client_token)
        self._shown = self._with(given)
        return _bearer(given.token)

    def tls(self) -> UpstreamTls:
        """TLS towards the cluster as it is in force: who vouches for it, and the client certificate."""
        return self._shown

    def known(self) -> Mapping[str, str]:
        """See `Injector`. Whom the API server will take us for, where a token or a certificate says it; of what a
        program gives, once it was asked."""
        user = ""
        with suppress(CredentialError):
            self._look()
            token = "" if self._program else self._token()
            user = self._user or account_of(token)  # to Kubernetes a certificate goes before a token
        return ({"k8s.user": user} if user else {}) | {"k8s.kubeconfig.user": self._made_for.names["user"]}

    async def close(self) -> None:
        """See `Injector`."""
        for held in (*self._past, self._held):
            await held.close()

    def _look(self) -> None:
        """Takes up what the file says now. Raises CredentialError while it cannot be used."""
        context = self._file.context()
        if context is not self._made_for:
            self._adopt(context)

    def _token(self) -> str:
        """Of the file, or of the one that it names; '' when there is none. Raises CredentialError."""
        return self._secret.text() if self._secret else self._made_for.user.token

    def _adopt(self, context: KubeContext) -> None:
        """Makes all that a context of the file needs. The program of the last one is left to end by itself."""
        self._past.append(self._held)
        self._held = Held(self._connection, self._clock)
        self._made_for = context
        self._shown = context.tls
        self._given: ExecCredential | None = None
        self._secret = self._secret_of(context.user)
        self._program = self._program_of(context)
        self._user = user_of_certificate(context.tls)

    def _secret_of(self, user: User) -> Secret | None:
        if user.token_file is None:
            return None
        return Secret(SecretSource(file=user.token_file), self._connection, clock=self._clock)

    def _program_of(self, context: KubeContext) -> ExecProgram | None:
        if context.user.plugin is None:
            return None
        seconds = self._source.exec_seconds
        return ExecProgram(context.user.plugin, context, seconds, wall=self._wall, environ=self._environ)

    def _with(self, given: ExecCredential) -> UpstreamTls:
        """TLS with the certificate that a program gave. The same as before when it gave nothing new."""
        if given is self._given:
            return self._shown
        self._given = given
        self._user = common_name(given.certificate_data) or account_of(given.token)
        tls = self._made_for.tls
        return replace(tls, certificate_data=given.certificate_data, key_data=given.key_data)


def _bearer(token: str) -> Headers:
    if not token.isascii():
        raise CredentialError("its token holds characters that no header takes")
    return [(b"authorization", b"Bearer " + token.encode("ascii"))] if token else []
