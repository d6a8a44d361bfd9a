"""A token that a provider gave, and how it is read from the provider's answer."""

import re
from dataclasses import dataclass
from typing import Any

from gateway.edge.credentials.injector import CredentialError

TOKEN_CHARACTERS_MAX = 16 * 1024
UNSAID_SECONDS = (
    60.0  # how long a token is used whose provider does not say (RFC 6749, 5.1 only recommends it)
)
LIFE_SECONDS_MAX = 86_400.0
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:|!@$-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """`life_seconds` counts from when it was asked for."""

    header: bytes
    life_seconds: float

    def __repr__(self) -> str:
        return f"<Token for {self.life_seconds:g} s>"


def token_of(answer: dict[str, Any]) -> Token:
    """The token in a provider's answer (RFC 6749, 5.1). Raises CredentialError for one that cannot be used."""
    text = answer.get("access_token")
    if not isinstance(text, str) or len(text) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(text):
        raise CredentialError("the provider of tokens gave no token that a header takes")
    kind = answer.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise CredentialError("the provider of tokens gave a token that is not a bearer token")
    return Token(b"Bearer " + text.encode("ascii"), _life(answer.get("expires_in")))


def _life(said: object) -> float:
    if isinstance(said, str) and re.fullmatch(r"[0-9]{1,9}", said):
        said = int(said)
    if said is None:
        return UNSAID_SECONDS
    if isinstance(said, bool) or not isinstance(said, int | float) or said <= 0:
        raise CredentialError("the provider of tokens gave a token that has expired")
    return min(float(said), LIFE_SECONDS_MAX)
