"""Sealed originals: an unmasked body under an age recipient, whose private key is somewhere else.

Whoever seals needs the recipient only and cannot open what it sealed. Source: the age file format,
age-encryption.org/v1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from pyrage import (  # type: ignore[import-untyped]
    DecryptError,
    IdentityError,
    RecipientError,
    decrypt,
    encrypt,
)
from pyrage.x25519 import Identity, Recipient  # type: ignore[import-untyped]

FINGERPRINT_CHARACTERS = 16


class SealError(ValueError):
    """A recipient, an identity or a sealed body is not what it should be. The message never holds a key or a body."""


def seal(body: bytes, recipient: str) -> bytes:
    """`body` as an age file that only the holder of the recipient's identity opens; about 0.1 ms.

    Two seals of the same body differ. Raises SealError for a recipient that is none.
    """
    return bytes(encrypt(body, [_recipient(recipient)]))


def fingerprint(recipient: str) -> str:
    """Which recipient it was, for people: 16 hex digits of its SHA-256. Raises SealError."""
    return hashlib.sha256(str(_recipient(recipient)).encode()).hexdigest()[:FINGERPRINT_CHARACTERS]


def identities(text: str) -> list[Identity]:
    """The identities of a key file as age-keygen writes it. Raises SealError when it holds none."""
    lines = (line.strip() for line in text.splitlines())
    try:
        found = [Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except IdentityError:
        raise SealError("the key file holds a line that is no age identity (AGE-SECRET-KEY-1…)") from None
    if not found:
        raise SealError("the key file holds no age identity (AGE-SECRET-KEY-1…)")
    return found


def recipients(keys: Iterable[Identity]) -> list[str]:
    """The fingerprints of the recipients that belong to these identities."""
    return [fingerprint(str(key.to_public())) for key in keys]


def unseal(sealed: bytes, keys: Iterable[Identity]) -> bytes:
    """The body. Raises SealError when no key opens it, or it is damaged."""
    try:
        return bytes(decrypt(sealed, list(keys)))
    except DecryptError:
        raise SealError("no identity of the key file opens it, or it is damaged") from None


@lru_cache(maxsize=64)
def _recipient(text: str) -> Recipient:
    try:
        return Recipient.from_str(text)
    except RecipientError:
        raise SealError("this is no age recipient; one begins with age1 and comes from age-keygen") from None
