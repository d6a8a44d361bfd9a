"""Made-up credentials in the shapes that real ones have. None of them opens anything.

They are built from a seed at run time and not written down here, so that no secret scanner mistakes this
repository for a leak.
"""

import base64
import json
import string
from random import Random

ALPHANUMERIC = string.ascii_letters + string.digits


def token(random: Random, length: int, alphabet: str = ALPHANUMERIC) -> str:
    """`length` characters drawn from `alphabet`."""
    return "".join(random.choices(alphabet, k=length))


def access_key_id(random: Random) -> str:
    """The shape of an AWS access key id: a four-letter prefix and 16 base32 characters."""
    return "AK" + "IA" + token(random, 16, string.ascii_uppercase + "234567")


def payment_key(random: Random) -> str:
    """The shape of a live key of a payment provider."""
    return "_".join(["sk", "live", token(random, 24)])


def private_key_pem(random: Random) -> str:
    """The shape of a PEM private key; the body is noise, not DER."""
    kind = "PRIVATE KEY"
    body = base64.b64encode(random.randbytes(48 * 6)).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def certificate_pem(random: Random) -> str:
    """The shape of a PEM certificate; the body is noise, not DER."""
    body = base64.b64encode(random.randbytes(48 * 4)).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def service_account_jwt(random: Random, namespace: str, name: str) -> str:
    """The shape of a service account token (RFC 7519, three base64url parts); the signature is noise."""
    header = {"alg": "RS256", "kid": token(random, 27)}
    claims = {
        "iss": "https://kubernetes.default.svc.cluster.local",
        "kubernetes.io/serviceaccount/namespace": namespace,
        "kubernetes.io/serviceaccount/service-account.name": name,
        "sub": f"system:serviceaccount:{namespace}:{name}",
    }
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    return ".".join(_base64url(part) for part in [*parts, random.randbytes(96)])


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
