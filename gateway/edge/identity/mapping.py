"""From claims to a principal, by the paths that the issuer's settings give."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from gateway.edge.identity.compact import CompactToken, invalid
from gateway.sessions import Principal
from gateway.settings import Issuer

TEXT_MAX = 1024
GROUPS_MAX = 1000
GROUP_MAX = 256

_BETWEEN_GROUPS = re.compile(r"[ ,]+")


def principal_of(token: CompactToken, issuer: Issuer, expires_at: float) -> Principal:
    """Whom a verified token names. Raises TokenError when it names nobody, or in a way that could be misread.

    `expires_at` is when the token no longer counts, the leeway included: a stream that was opened in the leeway
    must not end at once, and what bars a token must hold for as long as it would be taken.
    """
    paths = issuer.claims
    subject = _text(token.claims, paths.subject)
    if not subject:
        raise invalid(f"the token has no `{paths.subject}`")
    return Principal(
        issuer=issuer.issuer,
        subject=subject,
        credential=_credential(token),
        groups=_groups(token.claims, paths.groups),
        client_id=_text(token.claims, paths.client_id),
        email=_text(token.claims, paths.email),
        expires_at=expires_at,
    )


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """What lies at `path`, `.` between levels; a name that holds dots itself goes first. None when there is none."""
    if path in claims:
        return claims[path]
    dot = path.rfind(".")
    while dot > 0:
        inner = claims.get(path[:dot])
        if isinstance(inner, dict) and (found := claim_at(inner, path[dot + 1 :])) is not None:
            return found
        dot = path.rfind(".", 0, dot)
    return None


def _credential(token: CompactToken) -> str:
    """What tells this token from another of the same caller: its id, else its issue time and what it says."""
    if token_id := _text(token.claims, "jti"):
        return token_id
    if "iat" not in token.claims:
        raise invalid("the token has neither `jti` nor `iat`")
    said = token.text.rpartition(".")[0].encode("ascii")
    return f"iat:{token.claims['iat']}:{sha256(said).hexdigest()[:16]}"


def _text(claims: Mapping[str, Any], path: str) -> str:
    value = claim_at(claims, path) if path else None
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise invalid(f"the token's `{path}` is no text of at most {TEXT_MAX} characters")
    return _readable(value, path)


def _groups(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """All groups or none: with some left out, a rule against a group would not see it."""
    value = claim_at(claims, path) if path else None
    if value is None:
        return ()
    if isinstance(value, str):
        value = [name for name in _BETWEEN_GROUPS.split(value) if name]
    if not isinstance(value, list) or len(value) > GROUPS_MAX:
        raise invalid(f"the token's `{path}` is not at most {GROUPS_MAX} groups")
    return tuple(dict.fromkeys(_group(name, path) for name in value))


def _group(name: object, path: str) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= GROUP_MAX:
        raise invalid(f"a group in the token's `{path}` is no text of 1 to {GROUP_MAX} characters")
    return _readable(name, path)


def _readable(value: str, path: str) -> str:
    """Control, bidirectional and lone surrogate characters make one name look like another."""
    if not value.isprintable():
        raise invalid(f"the token's `{path}` has characters that cannot be shown")
    return value
