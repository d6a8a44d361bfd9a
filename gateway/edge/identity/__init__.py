"""Who calls: from the bearer token of a request to a principal, or to the refusal that the client can act on."""

from gateway.edge.identity.trusted import TokenError, TrustedIssuer

__all__ = ["TokenError", "TrustedIssuer"]
