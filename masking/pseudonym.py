"""Pseudonyms: `[masked:kind:hex6]`, the same for the same secret under the same key, and nothing to learn
from them without it. Twenty-four bits tell secrets of one deployment apart; they cannot confirm a guess.
"""

from __future__ import annotations

import hmac
import re

PSEUDONYM = re.compile(r"\[masked:[a-z0-9][a-z0-9-]{0,40}:[0-9a-f]{6}\]")
HINT = "[masked:"


def pseudonym(key: bytes, kind: str, secret: str) -> str:
    """The pseudonym of `secret` (a view: one character for each byte) of this `kind`."""
    return f"[masked:{kind}:{digest(key, secret)}]"


def digest(key: bytes, secret: str) -> str:
    """What tells this secret from others under this key: six hex digits."""
    return hmac.digest(key, secret.encode("latin-1"), "sha256").hex()[:6]


def is_masked(value: str) -> bool:
    """Whether nothing but pseudonyms (and what stands around them) is left in this value."""
    return HINT in value and PSEUDONYM.search(value) is not None
