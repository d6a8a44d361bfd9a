"""Pseudonyms: `[masked:kind:hex6]`, the same for the same secret under the same key, and nothing to learn
from them without it. Twenty-four bits tell secrets of one deployment apart; they cannot confirm a guess.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterator

PSEUDONYM = re.compile(r"\[masked:[a-z0-9][a-z0-9-]{0,40}:[0-9a-f]{6}\]")
HINT = "[masked:"
ENCODED = re.compile(r"(?<![A-Za-z0-9+/=])W21hc2tlZDprOHMtc2VjcmV0O[jm][A-Za-z0-9]{9}=(?![A-Za-z0-9+/=])")
"""The pseudonym of a value of a Kubernetes Secret in base64, as it stands where clients decode it."""
WRITTEN = re.compile(f"{PSEUDONYM.pattern}|{ENCODED.pattern}")
_HINTS = (HINT, "W21hc2tlZDprOHMtc2VjcmV0O")


def pseudonym(key: bytes, kind: str, secret: str) -> str:
    """The pseudonym of `secret` (a view: one character for each byte) of this `kind`."""
    return f"[masked:{kind}:{digest(key, secret)}]"


def digest(key: bytes, secret: str) -> str:
    """What tells this secret from others under this key: six hex digits."""
    return hmac.digest(key, secret.encode("latin-1"), "sha256").hex()[:6]


def is_masked(value: str) -> bool:
    """Whether nothing but pseudonyms (and what stands around them) is left in this value."""
    if not is_hinted(value):
        return False
    return PSEUDONYM.search(value) is not None or ENCODED.fullmatch(value.strip()) is not None


def is_hinted(view: str) -> bool:
    """Whether pseudonyms may stand in it: quick, for texts in which none do."""
    return any(hint in view for hint in _HINTS)


def in_base64(name: str) -> str:
    """A pseudonym where clients decode what stands there, as in the `data` of a Kubernetes Secret."""
    return base64.b64encode(name.encode("ascii")).decode("ascii")


def is_base64(value: str) -> bool:
    """Whether clients could decode it."""
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def digests_in(text: str) -> Iterator[str]:
    """The digests of the pseudonyms in a masked text, in order."""
    for match in WRITTEN.finditer(text):
        name = match.group()
        yield (name if name.startswith("[") else base64.b64decode(name).decode("ascii"))[-7:-1]
