"""What the anomaly engine sees of one call: facts and sizes, no bodies."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "denied", "held", "failed", "error"]
"""ok: done. denied: refused by the gateway or by upstream's own authorisation. held: waits for a person.
failed: a tool's isError, a JSON-RPC error or HTTP 4xx. error: upstream or the gateway could not."""

EVERYWHERE = "*"
"""The namespace of a call that reaches into all of them."""


@dataclass(slots=True)
class Observation:
    """One call. `at` is when it was answered or refused (UTC, microseconds); `principal` is ISSUER|SUBJECT.

    `client` is the OAuth client id, else the family of the user agent; `address` has no port. `object` is
    namespace/kind/name of what was touched, else a URI; '' where the call names nothing. `minted`: a token or a
    credential was made; `prompt`: the arguments ask for credentials in words. `pseudonyms` are those of secrets
    that the masking took out of the answer.
    """

    at: int
    principal: str
    groups: tuple[str, ...] = ()
    client: str = ""
    address: str = ""
    connection: str = ""
    session_id: str = ""
    tool: str = ""
    method: str = ""
    verb: str = ""
    object: str = ""
    namespace: str = ""
    sensitive: bool = False
    outcome: Outcome = "ok"
    request_bytes: int = 0
    response_bytes: int = 0
    redactions: int = 0
    pseudonyms: tuple[str, ...] = ()
    minted: bool = False
    prompt: bool = False
    tool_changed: bool = False
    approval_asked: bool = False
    frame_id: str = ""
