"""Protected resource metadata (RFC 9728): from the gateway's address to who gives tokens for it."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from gateway.settings import ConnectionKind, IdentitySettings

WELL_KNOWN = "/.well-known/oauth-protected-resource"


SERVED_UNDER = MappingProxyType(
    {ConnectionKind.MCP: "mcp", ConnectionKind.HTTP: "http", ConnectionKind.KUBERNETES: "k8s"}
)
"""The first segment of the path under which connections of a kind are served."""


def resource_url(root: str, connection: str, kind: ConnectionKind) -> str:
    """The canonical URL of a connection at the gateway whose own URL is `root`."""
    return f"{root.rstrip('/')}/{SERVED_UNDER[kind]}/{connection}"


def resource_of(
    settings: IdentitySettings, connection: str, kind: ConnectionKind = ConnectionKind.MCP
) -> str:
    """The canonical URL of a connection: what its tokens must name as audience (RFC 8707)."""
    return resource_url(settings.public_url, connection, kind)


def resources_named(settings: IdentitySettings, connection: str) -> frozenset[str]:
    """The URLs that a connection of this name may have. One of them is served: no two connections share a name."""
    return frozenset(resource_of(settings, connection, kind) for kind in SERVED_UNDER)


def metadata_url(resource: str) -> str:
    """Where the document about `resource` is (RFC 9728, 3.1: before the path)."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


def protected_resources(
    settings: IdentitySettings, connections: Mapping[str, ConnectionKind]
) -> dict[str, bytes]:
    """Path to JSON document, for each connection and for the gateway itself. Empty where nobody is asked."""
    if settings.mode == "none":
        return {}
    root = settings.public_url.rstrip("/")
    named = {root: "Sluicegate"} | {
        resource_of(settings, name, kind): name for name, kind in connections.items()
    }
    documents = {
        urlsplit(metadata_url(url)).path: _document(settings, url, name) for url, name in named.items()
    }
    return documents | {WELL_KNOWN: _document(settings, root, "Sluicegate")}


def scopes_of(settings: IdentitySettings) -> tuple[str, ...]:
    """The scopes that any issuer requires, each once."""
    return tuple(dict.fromkeys(scope for issuer in settings.issuers for scope in issuer.scopes_required))


def _document(settings: IdentitySettings, resource: str, name: str) -> bytes:
    document: dict[str, object] = {
        "resource": resource,
        "bearer_methods_supported": ["header"],
        "resource_name": name,
    }
    # An issuer whose keys lie in a file has no server that a client could ask; an empty list is to be left out (3.2)
    if servers := [issuer.issuer for issuer in settings.issuers if issuer.jwks_file is None]:
        document["authorization_servers"] = servers
    if scopes := scopes_of(settings):
        document["scopes_supported"] = scopes
    return json.dumps(document).encode()
