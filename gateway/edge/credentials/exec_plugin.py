"""The program that a kubeconfig names for credentials, run as kubectl runs it, and bounded.

Source: Kubernetes, "client-go credential plugins". It gets no terminal and a small environment. What it prints is
read to a bound; what it says on stderr goes to the log, masked, and to no client.
"""

import json
import os
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from gateway.edge.credentials.exec_answer import ExecCredential, credential_in
from gateway.edge.credentials.exec_process import OUTPUT_BYTES_MAX, STDERR_BYTES_MAX, Ended, run
from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.kubeconfig_file import KubeContext
from gateway.edge.credentials.kubeconfig_user import ExecPlugin
from gateway.edge.credentials.secret import Clock
from masking import MaskingError, mask

_DETAIL_MAX = 500
# Enough to find its programs and its own files. Secrets of the gateway's environment are not its business: what else
# a plugin needs stands in the kubeconfig's `env`.
_INHERITED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


class ExecProgram:
    """Asks one plugin. `wall` gives Unix seconds."""

    def __init__(
        self,
        plugin: ExecPlugin,
        context: KubeContext,
        seconds: float,
        *,
        wall: Clock = time.time,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._plugin = plugin
        self._seconds = seconds
        self._wall = wall
        self._context = context
        self._environ = environ

    def __repr__(self) -> str:
        return f"<ExecProgram {os.path.basename(self._plugin.command)}>"

    async def ask(self) -> ExecCredential:
        """Runs it once. Raises CredentialError."""
        asked_at = self._wall()
        ended = await self._run()
        if ended.code:
            raise CredentialError(f"its credential program ended {_how(ended.code)}", _told(ended.stderr))
        if len(ended.output) > OUTPUT_BYTES_MAX:
            raise CredentialError(f"its credential program printed more than {OUTPUT_BYTES_MAX} bytes")
        try:
            return credential_in(ended.output, self._plugin.api_version, asked_at)
        except CredentialError as error:
            raise CredentialError(error.reason, _told(ended.stderr)) from None

    async def _run(self) -> Ended:
        command = (self._plugin.command, *self._plugin.args)
        try:
            return await run(command, environment(self._plugin, self._context, self._environ), self._seconds)
        except TimeoutError:
            raise CredentialError(f"its credential program did not end within {self._seconds:g} s") from None
        except (OSError, ValueError) as error:
            raise CredentialError(_not_started(error), self._plugin.install_hint) from None


def environment(plugin: ExecPlugin, context: KubeContext, environ: Mapping[str, str]) -> dict[str, str]:
    """What a plugin sees: a little of ours, what the kubeconfig gives, and what it is asked for."""
    inherited = {name: environ[name] for name in _INHERITED if name in environ}
    return inherited | dict(plugin.env) | {"KUBERNETES_EXEC_INFO": json.dumps(_asked(plugin, context))}


def _asked(plugin: ExecPlugin, context: KubeContext) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster(context)
    return {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}


def _cluster(context: KubeContext) -> dict[str, Any]:
    tls = context.tls
    authority = tls.ca_data.encode() if tls.ca_file is None else tls.ca_file.read_bytes()
    said = {
        "server": context.server,
        "tls-server-name": tls.server_name,
        "certificate-authority-data": b64encode(authority).decode(),
        "config": context.extension,
    }
    return {name: value for name, value in said.items() if value}


def _not_started(error: OSError | ValueError) -> str:
    """What is wrong, without the command, which the log tells."""
    if isinstance(error, FileNotFoundError):
        return "its credential program is not installed on the gateway"
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
    return f"its credential program could not be started: {why}"


def _how(code: int) -> str:
    return f"with exit code {code}" if code > 0 else f"by signal {-code}"


def _told(stderr: bytes) -> str:
    """The end of what it said on stderr, for the log; masked before it is cut, lest half a secret be left."""
    if len(stderr) > STDERR_BYTES_MAX:
        stderr = stderr.rpartition(b"\n")[0]
    try:
        text = mask(stderr.decode("utf-8", "replace").strip()).text
    except MaskingError:
        return ""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return f"stderr: {'…' * (len(shown) > _DETAIL_MAX)}{shown[-_DETAIL_MAX:]}" if shown else ""
