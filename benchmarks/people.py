"""A provider of tokens without a server: a key, its JWKS file, and tokens for whoever a measurement needs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://people.example"
HOURS_2 = 7_200


class People:
    """Keeps its public key in `folder`, where a gateway reads it as `jwks_file`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.jwks_file = folder / "people.jwks"
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self.jwks_file.write_text(json.dumps({"keys": [{**public, "kid": "people-1"}]}))

    def token(self, audience: str, subject: str, *groups: str) -> str:
        """An access token that outlives the measurement."""
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "aud": audience, "sub": subject, "groups": list(groups)}
        claims |= {"iat": now, "exp": now + HOURS_2, "jti": f"{subject}-{now}", "azp": "measurement"}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": "people-1", "typ": "at+jwt"})

    def identity(self, public_url: str) -> dict[str, object]:
        """The configuration's block `identity` that trusts these tokens."""
        issuer = {"name": "people", "issuer": ISSUER, "jwks_file": str(self.jwks_file)}
        return {"mode": "oidc", "public_url": public_url, "issuers": [issuer]}
