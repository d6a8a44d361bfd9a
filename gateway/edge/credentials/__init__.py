"""What the gateway shows upstream, and what of the client's own never gets there.

The way of a credential: `credential_for` makes one injector for each connection; `strip` takes off what the client
sent as its credential; `headers` gives what is put in its place. A secret is in an injector's memory and in the
request to upstream or to the provider of tokens, nowhere else: not in a repr, an error, a log line or a record.
"""

from gateway.edge.credentials.injector import (
    ClientsHeaders,
    CredentialError,
    Injector,
    NoCredential,
    outgoing,
)
from gateway.edge.credentials.make import credential_for
from gateway.frames.credentials import is_credential, strip

__all__ = [
    "ClientsHeaders",
    "CredentialError",
    "Injector",
    "NoCredential",
    "credential_for",
    "is_credential",
    "outgoing",
    "strip",
]
