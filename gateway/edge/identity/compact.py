"""A token's compact serialisation (RFC 7515, 7.1) taken apart strictly, before anything in it is believed.

A token may be spelled in several ways: `=` after a part, unused bits in a part's last character. All of them are
one token here: `CompactToken.text` is the spelling that the rest works with.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from gateway.edge.identity.strictjson import strict_object
from gateway.edge.identity.trusted import TokenError

TOKEN_BYTES_MAX = 16 * 1024
KEY_ID_MAX = 256

_PARTS = re.compile(rb"([A-Za-z0-9_-]+)={0,2}\.([A-Za-z0-9_-]+)={0,2}\.([A-Za-z0-9_-]+)={0,2}")
_NOT_UNDERSTOOD = ("crit", "b64", "enc", "zip")


@dataclass(frozen=True, slots=True)
class CompactToken:
    """A token in its one spelling, its header and its claims; nothing of it is verified."""

    text: str
    algorithm: str
    key_id: str | None
    type: str  # header `typ` as it compares; '' is none
    claims: dict[str, Any]

    @property
    def issuer(self) -> str:
        """The claim `iss`; '' when it is missing or no text."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""


def invalid(detail: str) -> TokenError:
    """A token that nobody can use."""
    return TokenError("invalid_token", detail)


def media_type(name: str) -> str:
    """A header's `typ` as it compares (RFC 7515, 4.1.9): in lower case, without `application/`."""
    return name.lower().removeprefix("application/")


def parse(token: bytes) -> CompactToken:
    """Takes a token apart. Raises TokenError; what takes long or is not signed is refused first."""
    if len(token) > TOKEN_BYTES_MAX:
        raise invalid(f"the token is longer than {TOKEN_BYTES_MAX} bytes")
    parts = _PARTS.fullmatch(token)
    if parts is None:
        raise invalid("the token is not a signed JWT in compact form")
    raw_header, raw_claims, signature = (_decoded(part) for part in parts.groups())
    header, claims = _object(raw_header, "header"), _object(raw_claims, "claims")
    for name in _NOT_UNDERSTOOD:
        if name in header:
            raise invalid(f"the token's header has `{name}`, which is not supported")
    return CompactToken(
        text=b".".join(map(_encoded, (raw_header, raw_claims, signature))).decode("ascii"),
        algorithm=_text(header, "alg"),
        key_id=_key_id(header),
        type=media_type(_text(header, "typ")),
        claims=claims,
    )


def _decoded(part: bytes) -> bytes:
    if len(part) % 4 == 1:
        raise invalid("the token is cut")
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        return strict_object(text)
    except ValueError:
        raise invalid(f"the token's {where} cannot be read in one way only") from None


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name, "")
    if not isinstance(value, str):
        raise invalid(f"the token's header `{name}` is no text")
    return value


def _key_id(header: dict[str, Any]) -> str | None:
    if "kid" not in header:
        return None
    key_id = _text(header, "kid")
    if not 0 < len(key_id) <= KEY_ID_MAX:
        raise invalid(f"the token's header `kid` is empty or longer than {KEY_ID_MAX} characters")
    return key_id
