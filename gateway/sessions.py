"""The session id: deterministic, so that every replica gives the same one without asking another."""

import math
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller, or the anonymous one where identity is not asked for.

    `credential` names the credential without being it: the token's jti or issue time; for the anonymous caller
    what tells one conversation from another (address, user agent, UTC day).
    """

    issuer: str
    subject: str
    credential: str
    groups: tuple[str, ...] = ()
    client_id: str = ""
    email: str = ""
    purpose: str = ""  # the reason given for a session token
    connection: str = ""  # the only connection that a session token is good for
    expires_at: float = math.inf  # Unix seconds; streams end then


NOBODY = Principal("", "", "")
"""Who calls, where that was never found out."""


def anonymous(peer_host: str, user_agent: str, day: str) -> Principal:
    """The caller under `identity: {mode: none}`; `day` is the UTC date as YYYY-MM-DD."""
    return Principal("", "anonymous", f"{peer_host}|{user_agent}|{day}")


@lru_cache(maxsize=4096)
def session_id(connection: str, principal: Principal, mcp_session_id: str) -> str:
    """UUID (version 8) of the session that these four facts name."""
    facts = (connection, principal.issuer, principal.subject, principal.credential, mcp_session_id)
    digest = bytearray(sha256("\0".join(facts).encode("utf-8", "surrogatepass")).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(digest)))
