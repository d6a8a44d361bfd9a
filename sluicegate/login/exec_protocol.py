"""How kubectl, and what else reads a kubeconfig, asks a plugin for a credential, and what it takes as an answer.

Source: Kubernetes API reference, client.authentication.k8s.io/v1, ExecCredential.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sluicegate.login.http import LoginError

VARIABLE = "KUBERNETES_EXEC_INFO"
V1 = "client.authentication.k8s.io/v1"
_SPOKEN = (V1, "client.authentication.k8s.io/v1beta1")


@dataclass(frozen=True, slots=True)
class ExecInfo:
    """What the caller says: in which version it wants its answer, whether somebody is there to log in, and which
    certificates (PEM) vouch for the cluster; '' for none in particular."""

    version: str = V1
    interactive: bool = False
    ca_pem: str = ""


def exec_info(text: str) -> ExecInfo:
    """What stands in the variable; '' is a caller that sets none. Raises LoginError."""
    if not text:
        return ExecInfo()
    try:
        said = json.loads(text)
        version, spec = said["apiVersion"], said["spec"]
        ca_pem = _ca_pem(spec.get("cluster") or {})
        interactive = spec.get("interactive") is True
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise LoginError(f"{VARIABLE} holds no ExecCredential; let kubectl run this command") from exc
    if version not in _SPOKEN:
        raise LoginError(f"{VARIABLE} asks in version {version!r:.100}; spoken here: {', '.join(_SPOKEN)}")
    return ExecInfo(version, interactive, ca_pem)


def exec_credential(info: ExecInfo, token: str, expires_at: float | None) -> str:
    """The answer, one line of JSON. `expires_at` is Unix seconds; None: not known, the server will say."""
    status = {"token": token}
    if expires_at is not None:
        moment = datetime.fromtimestamp(int(expires_at), UTC)
        status["expirationTimestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = {
        "apiVersion": info.version,
        "kind": "ExecCredential",
        "spec": {"interactive": info.interactive},
        "status": status,
    }
    return json.dumps(answer)


def claims_of(token: str) -> Mapping[str, Any]:
    """What a JWT says of itself, not verified: to know when to ask for another one. Empty for any other token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def expiry(claims: Mapping[str, Any]) -> float | None:
    """When a token with these claims ends, Unix seconds; None where it does not say."""
    moment = claims.get("exp")
    sane = isinstance(moment, int | float) and not isinstance(moment, bool) and 0 < moment < 253_402_300_800
    return float(moment) if sane else None  # type: ignore[arg-type]


def _ca_pem(cluster: Mapping[str, Any]) -> str:
    try:
        return base64.b64decode(cluster.get("certificate-authority-data") or "", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise LoginError("the kubeconfig's certificate-authority-data are no PEM in Base64") from exc
