"""A provider's keys (RFC 7517): which of them verify a token, and by which algorithms.

The algorithm is the key's, never the token's to choose: a key is filed under each algorithm that its type allows
and the issuer's settings list.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import jwt

from gateway.edge.identity.compact import KEY_ID_MAX

KEYS_MAX = 100
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_TYPE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("RSA", ""): _RSA,
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
ALGORITHMS = frozenset(name for names in _BY_TYPE.values() for name in names)

# (kid, '' for none; algorithm) -> key
KeySet = Mapping[tuple[str, str], jwt.PyJWK]


def usable_keys(document: Mapping[str, Any], algorithms: Iterable[str]) -> KeySet:
    """The keys of a JWKS document that verify signatures by one of `algorithms`.

    Left out: symmetric and private keys, keys for encryption, keys of weak or unknown kind, and all keys of a `kid`
    that stands twice. Raises ValueError when the document is no JWKS.
    """
    keys = document.get("keys")
    if not isinstance(keys, list) or len(keys) > KEYS_MAX:
        raise ValueError(f"`keys` is not a list of at most {KEYS_MAX} keys")
    fit = [(key, _algorithms_of(key, algorithms)) for key in keys if isinstance(key, dict) and _signs(key)]
    named = Counter(key.get("kid", "") for key, _ in fit)
    return {
        (key.get("kid", ""), algorithm): loaded
        for key, names in fit
        if named[key.get("kid", "")] == 1
        for algorithm in names
        if (loaded := _loaded(key, algorithm)) is not None
    }


def _signs(key: dict[str, Any]) -> bool:
    """Whether it is a public key that is there to verify signatures, under a name that can be one."""
    key_id, operations = key.get("kid", ""), key.get("key_ops", ["verify"])
    return (
        key.get("kty") in ("RSA", "EC", "OKP")
        and "d" not in key
        and key.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(key_id, str)
        and len(key_id) <= KEY_ID_MAX
    )


def _algorithms_of(key: dict[str, Any], algorithms: Iterable[str]) -> list[str]:
    curve = key.get("crv") if key["kty"] != "RSA" else ""
    possible = _BY_TYPE.get((key["kty"], curve), ()) if isinstance(curve, str) else ()
    return [name for name in possible if name in algorithms and key.get("alg", name) == name]


def _loaded(key: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    try:
        loaded = jwt.PyJWK(key, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if key["kty"] == "RSA" and not RSA_BITS_MIN <= loaded.key.key_size <= RSA_BITS_MAX:
        return None
    return loaded
