"""The cluster of a kubeconfig's context: where its API server is, and who vouches for it."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.edge.credentials.kubeconfig_entry import Entry, Faults

EXTENSION = "client.authentication.k8s.io/exec"  # what of an entry's `extensions` is for exec plugins


@dataclass(frozen=True, slots=True)
class Cluster:
    """`ca_data` is PEM."""

    server: str
    server_name: str | None
    ca_file: Path | None
    ca_data: str
    extension: Any


def cluster_of(entry: Entry, faults: Faults) -> Cluster:
    """What the entry says; what is wrong with it goes to `faults`."""
    if entry.yes("insecure-skip-tls-verify"):
        faults.append(
            entry.told(
                "`insecure-skip-tls-verify` would let anybody be the cluster; remove it and give "
                "`certificate-authority-data`, and `tls-server-name` where the certificate bears another name"
            )
        )
    if entry.has("proxy-url"):
        faults.append(
            entry.told("`proxy-url` is not supported; let the gateway reach the server itself, and remove it")
        )
    both = entry.has("certificate-authority") and entry.has("certificate-authority-data")
    if both:
        faults.append(
            entry.told("has `certificate-authority` and `certificate-authority-data`; keep one of both")
        )
    server = entry.text("server")
    fault = _server_fault(server)
    if fault:
        faults.append(entry.told(fault))
    return Cluster(
        server,
        entry.text("tls-server-name") or None,
        entry.file("certificate-authority", faults),
        entry.pem("certificate-authority-data", faults),
        _extension(entry),
    )


def _server_fault(server: str) -> str:
    if not server:
        return "has no `server`; give it the URL of the API server"
    try:
        parts = urlsplit(server)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        parts = urlsplit("")
    plain = server.isascii() and server.isprintable() and " " not in server
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        return "`server` is no URL such as https://10.0.0.1:6443; write it with its scheme"
    if parts.username or parts.query or parts.fragment:
        return "`server` has a user, a `?` or a `#`; write only where the server is"
    if parts.scheme == "http" and not _loopback(parts.hostname):
        return "`server` is http, where anybody on the way reads the token; write https"
    return ""


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _extension(entry: Entry) -> Any:
    extensions = entry.content.get("extensions")
    for extension in extensions if isinstance(extensions, list) else []:
        if isinstance(extension, dict) and extension.get("name") == EXTENSION:
            return extension.get("extension")
    return None
