"""Ed25519 signatures of records: which component made one, and what that component may say.

    signed bytes = "sluicegate:SCHEMA:1" ‖ 0x00 ‖ Avro encoding of all fields before `signature`

What a later version of a schema adds stands after `signature`, as with the chained part of a frame. Ed25519 gives
the same bytes for the same record (RFC 8032), so a repeat of a signed record is byte-identical.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.codec import Codec, CodecError, load_schema

SEED_BYTES = 32
ANY_ISSUER = "*"


class SigningKey:
    """The private key of a component, from its 32 bytes of seed. Raises ValueError for another length."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public)

    def sign(self, content: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(content)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A component's public key (32 bytes), the verbs it may sign, and the issuers whose people it may speak for."""

    public: bytes
    component: str
    verbs: frozenset[str]
    issuers: frozenset[str] = field(default=frozenset({ANY_ISSUER}))


class KeyRing:
    """The keys that are believed."""

    def __init__(self, keys: Iterable[TrustedKey]) -> None:
        self._keys = {key_id(key.public): key for key in keys}

    def fault(self, schema: str, record: Mapping[str, Any], verb: str, issuer: str) -> str:
        """Why `record` is not believed when it says `verb` for somebody of `issuer`; '' when it is."""
        key = self._keys.get(record["key_id"])
        if key is None:
            return "signed with an unknown key"
        try:
            content = signed_bytes(schema, record)
            Ed25519PublicKey.from_public_bytes(key.public).verify(record["signature"], content)
        except (InvalidSignature, CodecError):
            return "the signature does not fit"
        if verb not in key.verbs:
            return f"the key of {key.component} may not sign {verb}"
        if not {ANY_ISSUER, issuer} & key.issuers:
            return f"the key of {key.component} may not speak for this issuer"
        component = record.get("component", key.component)
        return (
            "" if component == key.component else f"the key of {key.component} signed for another component"
        )


def key_id(public: bytes) -> str:
    """The name of a public key: 16 hex digits."""
    return sha256(public).hexdigest()[:16]


def signed(schema: str, record: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """`record` with `key_id` and `signature`. Raises CodecError when it does not fit the schema."""
    named = {**record, "key_id": key.key_id}
    return {**named, "signature": key.sign(signed_bytes(schema, named))}


def signed_bytes(schema: str, record: Mapping[str, Any]) -> bytes:
    """What is signed. `schema` is a name, or NAME.FIELD for a record within a record."""
    return b"sluicegate:" + schema.encode() + b":1\0" + _head(schema).encode_body(record)


@cache
def _head(schema: str) -> Codec:
    whole = _schema(schema)
    names = [entry["name"] for entry in whole["fields"]]
    return Codec({**whole, "fields": whole["fields"][: names.index("signature")]})


def _schema(schema: str) -> dict[str, Any]:
    """Records within records are nullable ones: ["null", {…}]."""
    name, _, inner = schema.partition(".")
    found = load_schema(name)
    if not inner:
        return found
    nested: dict[str, Any] = next(entry["type"][1] for entry in found["fields"] if entry["name"] == inner)
    return {**nested, "namespace": found["namespace"]}
