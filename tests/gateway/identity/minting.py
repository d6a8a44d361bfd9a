"""Keys and tokens of a provider; also of forgers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

NOW = 1_800_000_000
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_ALGORITHMS = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same RSA key for the same number in one run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """The same P-256 key for the same number in one run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key(number: int = 0) -> ed25519.Ed25519PrivateKey:
    """The same Ed25519 key for the same number in one run."""
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: PrivateKey, key_id: str | None, **more: Any) -> dict[str, Any]:
    """The public part of a key as a provider publishes it."""
    kind = {"RSAPrivateKey": "RSA", "ECPrivateKey": "EC", "EllipticCurvePrivateKey": "EC"}.get(
        type(key).__name__, "OKP"
    )
    public: dict[str, Any] = _ALGORITHMS[kind].to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    return public | ({} if key_id is None else {"kid": key_id}) | more


def jwks(*keys: dict[str, Any]) -> dict[str, Any]:
    """A JWKS document."""
    return {"keys": list(keys)}


def b64(part: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@dataclass
class Mint:
    """Makes tokens of one issuer, at NOW, good for five minutes."""

    issuer: str
    audience: str
    key: PrivateKey = field(default_factory=rsa_key)
    key_id: str = "k1"
    algorithm: str = "RS256"

    def claims(self, **more: Any) -> dict[str, Any]:
        """What a usual access token says; a claim given as None is left out."""
        usual = {"iss": self.issuer, "aud": self.audience, "sub": "alice", "jti": "t-1"}
        usual |= {
            "iat": NOW,
            "exp": NOW + 300,
            "groups": ["sre", "dev"],
            "azp": "agent",
            "email": "alice@example.com",
        }
        return {name: value for name, value in (usual | more).items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed token."""
        return self.signed(json.dumps(self.claims(**claims)), header)

    def signed(self, claims: str | bytes, header: dict[str, Any] | str | None = None) -> str:
        """A token with these bytes as claims, and this header over the usual one (or as it is, when text)."""
        usual = {"alg": self.algorithm, "typ": "JWT", "kid": self.key_id}
        text = header if isinstance(header, str) else json.dumps(usual | (header or {}))
        said = f"{b64(text.encode())}.{b64(claims.encode() if isinstance(claims, str) else claims)}"
        signature = jwt.get_algorithm_by_name(self.algorithm).sign(said.encode(), self.key)
        return f"{said}.{b64(signature)}"


def hmac_forged(mint: Mint, secret: bytes, header: dict[str, Any] | None = None) -> str:
    """A token signed by HS256 with `secret`, which a forger takes from the public key."""
    said = f"{b64(json.dumps({'alg': 'HS256', 'typ': 'JWT', 'kid': mint.key_id} | (header or {})).encode())}."
    said += b64(json.dumps(mint.claims()).encode())
    return f"{said}.{b64(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"


def public_pem(key: PrivateKey) -> bytes:
    """The public key as the forger finds it."""
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
