"""Keys of AWS as they are at one time, whose they are, and the name of a session that tells its caller."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from gateway.sessions import Principal

SUBJECT = "{subject}"
_NOT_TAKEN = re.compile(r"[^A-Za-z0-9_+=,.@-]")  # STS, AssumeRole, RoleSessionName
_SESSION_NAME_MAX = 64
_MARK_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Keys:
    """`ends_at` is by the clock of whoever asked for them, `life_seconds` counts from when they were asked for.

    `role`: the ARN that AWS takes us for; `source`: who came in, before any further role was assumed.
    """

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    life_seconds: float
    ends_at: float
    role: str = ""
    source: str = ""


def known_of(keys: Keys) -> Mapping[str, str]:
    """Attributes of the record."""
    said = {
        "cloud.account.id": account_of(keys.role),
        "cloud.role": keys.role,
        "cloud.role.source": keys.source,
    }
    return {name: value for name, value in said.items() if value}


def account_of(arn: str) -> str:
    """The account in an ARN (arn:partition:service:region:account:resource); '' where there is none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def session_name(pattern: str, principal: Principal) -> str:
    """`pattern` with the caller's subject in the place of `{subject}`, of characters and length that STS takes. Where
    something had to be left out, a mark of the caller's is put at the end: two callers are never one session."""
    said = pattern.replace(SUBJECT, principal.subject)
    name = _NOT_TAKEN.sub("-", said)
    if name == said and 2 <= len(name) <= _SESSION_NAME_MAX:
        return name
    whose = f"{principal.issuer}\0{principal.subject}".encode("utf-8", "surrogatepass")
    mark = sha256(whose).hexdigest()[:_MARK_CHARACTERS]
    return f"{name[: _SESSION_NAME_MAX - _MARK_CHARACTERS - 1]}-{mark}"
