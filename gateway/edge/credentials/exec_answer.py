"""What an exec plugin of a kubeconfig prints: an ExecCredential (client.authentication.k8s.io v1 and v1beta1)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from gateway.edge.credentials.injector import CredentialError

UNSAID_SECONDS = 300.0  # kubectl keeps what has no end until a 401 or its own end, and a gateway does not end
LIFE_SECONDS_MAX = 86_400.0
_TOKEN = re.compile(r"[!-~]{1,65536}")


@dataclass(frozen=True, slots=True)
class ExecCredential:
    """A token, a client certificate with its key (PEM), or both. `life_seconds` counts from when it was asked for."""

    token: str = field(default="", repr=False)
    certificate_data: str = ""
    key_data: str = field(default="", repr=False)
    life_seconds: float = UNSAID_SECONDS


def credential_in(output: bytes, api_version: str, now: float) -> ExecCredential:
    """The credential in a plugin's output; `now` in Unix seconds. Raises CredentialError, in whose text is nothing of
    the output: what a plugin prints may be a secret in any form."""
    try:
        document = msgspec.json.decode(output)
    except (msgspec.DecodeError, RecursionError):
        raise _wrong("printed no JSON; run it by hand") from None
    if not isinstance(document, dict) or document.get("kind") != "ExecCredential":
        raise _wrong("printed no ExecCredential; run it by hand")
    if document.get("apiVersion") != api_version:
        raise _wrong("printed another version than the kubeconfig names; write that one as its `apiVersion`")
    status = document.get("status")
    if not isinstance(status, dict):
        raise _wrong("printed no `status`, so it has no credential; run it by hand")
    return _credential(status, now)


def _credential(status: dict[str, Any], now: float) -> ExecCredential:
    token, certificate, key = (
        _text(status, name) for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if bool(certificate) != bool(key):
        raise _wrong("printed a certificate without its key, or a key alone")
    if not token and not certificate:
        raise _wrong("printed neither a token nor a certificate; it may have nobody logged in")
    if token and not _TOKEN.fullmatch(token):
        raise _wrong("printed a token that no header takes")
    if not (certificate + key).isascii():
        raise _wrong("printed a certificate that is no PEM")
    return ExecCredential(token, certificate, key, _life(status.get("expirationTimestamp"), now))


def _text(status: dict[str, Any], name: str) -> str:
    value = status.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"printed a `{name}` that is no text")
    return value or ""


def _life(said: object, now: float) -> float:
    if said is None:
        return UNSAID_SECONDS
    try:
        ends = datetime.fromisoformat(str(said))
    except ValueError:
        raise _wrong("printed an `expirationTimestamp` that is no time (RFC 3339)") from None
    if ends.tzinfo is None:
        raise _wrong("printed an `expirationTimestamp` that names no zone (RFC 3339)")
    life = ends.timestamp() - now
    if life <= 0:
        raise _wrong("printed a credential that has expired; log it in again, or look at the clock")
    return min(life, LIFE_SECONDS_MAX)


def _wrong(what: str) -> CredentialError:
    return CredentialError(f"its credential program {what}")
