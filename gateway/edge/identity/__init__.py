"""Who calls: from the bearer token of a request to a principal, or to a refusal that the client can act on.

A token's way: `bearer` takes it off the request, `seen` knows it from before or `compact` takes it apart,
`provider` gives the key (`sources` and `fetch` read them, `addresses` says from where, `keys` which are used),
`claims` checks what it says, `mapping` makes the principal. `challenge` and `metadata` tell clients where to go.
"""

from gateway.edge.identity.challenge import UnidentifiedError
from gateway.edge.identity.identity import Identity
from gateway.edge.identity.metadata import (
    metadata_url,
    protected_resources,
    resource_of,
    resource_url,
)
from gateway.edge.identity.trusted import TokenError, TrustedIssuer

__all__ = [
    "Identity",
    "TokenError",
    "TrustedIssuer",
    "UnidentifiedError",
    "metadata_url",
    "protected_resources",
    "resource_of",
    "resource_url",
]
