"""Which request headers hold a credential: what a client sends of them goes no further, and is not written down.

These are the headers that HTTP itself has for credentials, those that upstreams and clouds are known to believe, and,
because nobody knows them all, every name that ends as a secret's name does. Headers of MCP stay: they repeat what
stands in the body. What a client says of its own identity is taken off by `headers.towards_upstream`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.frames.headers import Headers

NAMES = frozenset(
    {
        # RFC 9110, 6265, 9440, 9449
        *(b"authorization", b"proxy-authorization", b"cookie", b"cookie2", b"dpop"),
        *(b"client-cert", b"client-cert-chain"),
        # secrets under names that do not end as the others do
        *(b"x-auth", b"x-jwt", b"x-honeycomb-team", b"x-hub-signature", b"x-hub-signature-256"),
        *(b"x-amzn-oidc-data", b"x-amzn-oidc-accesstoken"),
    }
)
PREFIXES = (b"x-ms-token-", b"x-authentik-", b"tailscale-user-")
SUFFIXES = (
    *(b"token", b"secret", b"password", b"passwd", b"credential", b"credentials", b"authorization"),
    *(b"assertion", b"-jwt", b"-key", b"apikey", b"cookie", b"session-id", b"sessionid"),
)
_STAY = frozenset({b"idempotency-key", b"x-idempotency-key", b"surrogate-key"})


def strip(headers: Headers) -> Headers:
    """The headers of a request without every one that holds a credential."""
    return [pair for pair in headers if not is_credential(pair[0])]


@lru_cache(maxsize=4096)
def is_credential(name: bytes) -> bool:
    """Whether a header of this name, in lower case, is one of a credential. `-` and `_` are the same here."""
    if name.startswith(b"mcp-") or name in _STAY:
        return False
    plain = name.replace(b"_", b"-")
    return plain in NAMES or plain.startswith(PREFIXES) or plain.endswith(SUFFIXES)
