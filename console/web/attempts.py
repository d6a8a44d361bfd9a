"""A login under way, in a sealed cookie of the browser that began it: nothing fills this process's memory, and an
answer of the provider counts only in the browser that asked for it."""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LIFE_SECONDS = 600
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Attempt:
    """`kind`: oidc or saml. `state`: what comes back with the answer (SAML: the id of our request). `nonce` and
    `verifier` are OIDC's. `following`: where the person wanted to go. `at`: Unix seconds."""

    kind: str
    state: str
    nonce: str
    verifier: str
    following: str
    at: float


class Attempts:
    """Seals and opens, with a key of this process alone: whoever began before a restart begins again."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = AESGCM(AESGCM.generate_key(256)), clock

    def begin(self, kind: str, following: str, state: str = "") -> Attempt:
        """A new one; each of its secrets has 256 bits."""
        made = [secrets.token_urlsafe(32) for _ in range(3)]
        return Attempt(kind, state or made[0], made[1], made[2], following, self._clock())

    def seal(self, attempt: Attempt) -> str:
        """As a cookie's value."""
        nonce = os.urandom(NONCE_BYTES)
        text = json.dumps(asdict(attempt)).encode()
        return (nonce + self._key.encrypt(nonce, text, attempt.kind.encode())).hex()

    def open(self, kind: str, value: str) -> Attempt | None:
        """None for what is none of ours, of another kind, or too old."""
        try:
            raw = bytes.fromhex(value)
            text = self._key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], kind.encode())
        except (ValueError, InvalidTag):
            return None
        attempt = Attempt(**json.loads(text))
        return attempt if 0 <= self._clock() - attempt.at < LIFE_SECONDS else None
