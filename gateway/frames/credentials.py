"""Which request headers hold a credential, or say who somebody is: what a client sends of them goes no further.

Taken off: the headers that HTTP itself has for credentials; those that upstreams, clouds and proxies are known to
believe; and, because nobody knows them all, every name that ends as a secret's name does. Headers of MCP stay: they
repeat what stands in the body.
"""

from functools import lru_cache

from gateway.frames.headers import Headers

NAMES = frozenset(
    {
        # RFC 9110, 6265, 9440, 9449
        *(b"authorization", b"proxy-authorization", b"cookie", b"cookie2", b"dpop"),
        *(b"client-cert", b"client-cert-chain"),
        # secrets under names that do not end as the others do
        *(b"x-api-key", b"api-key", b"apikey", b"x-apikey", b"x-auth", b"x-jwt", b"x-honeycomb-team"),
        *(b"x-hub-signature", b"x-hub-signature-256"),
        # who somebody is, as proxies say it
        *(b"forwarded", b"remote-user", b"remote-groups", b"remote-email", b"remote-name"),
        *(
            b"x-forwarded-user",
            b"x-forwarded-email",
            b"x-forwarded-groups",
            b"x-forwarded-preferred-username",
        ),
        *(
            b"x-forwarded-client-cert",
            b"x-ssl-cert",
            b"ssl-client-cert",
            b"x-client-cert",
            b"x-ssl-client-cert",
        ),
        *(
            b"x-user",
            b"x-user-id",
            b"x-user-email",
            b"x-user-groups",
            b"x-user-roles",
            b"x-email",
            b"x-groups",
        ),
        *(b"x-webauth-user", b"x-authenticated-user", b"x-authenticated-userid", b"x-consumer-username"),
    }
)
PREFIXES = (
    b"impersonate-",  # Kubernetes acts as whoever these name
    b"x-remote-",  # Kubernetes' front proxy, and many others
    b"x-auth-request-",
    b"x-authentik-",
    b"x-amzn-oidc-",
    b"x-amzn-mtls-",
    b"x-goog-iap-",
    b"x-goog-authenticated-user-",
    b"x-ms-client-principal",
    b"x-ms-token-",
    b"cf-access-",
    b"tailscale-user-",
)
SUFFIXES = (
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"credential",
    b"credentials",
    b"authorization",
    b"assertion",
    b"-jwt",
    b"-key",
    b"_key",
    b"apikey",
    b"cookie",
    b"session-id",
    b"sessionid",
)
_STAY = frozenset({b"idempotency-key", b"x-idempotency-key", b"surrogate-key", b"sec-websocket-key"})


def strip(headers: Headers) -> Headers:
    """The headers of a request without every one that holds a credential or says who somebody is."""
    return [pair for pair in headers if not is_credential(pair[0])]


@lru_cache(maxsize=4096)
def is_credential(name: bytes) -> bool:
    """Whether a header of this name, in lower case, is one of a credential. `-` and `_` are the same here."""
    if name.startswith(b"mcp-") or name in _STAY:
        return False
    plain = name.replace(b"_", b"-")
    return plain in NAMES or plain.startswith(PREFIXES) or plain.endswith(SUFFIXES)
