"""What a kubeconfig says of one connection: a cluster, a user and a context. Values in, entries out; no I/O.

Source: Kubernetes API reference, kubeconfig (v1), and client-go credential plugins.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "client.authentication.k8s.io/v1"
COMMAND = "exec-credential"
INSTALL_HINT = (
    "This cluster is reached through Sluicegate, and `sluicegate` logs you in. It is not on this machine's PATH: "
    "install the Python package `sluicegate` (for one, with pipx), or write the kubeconfig again with --command."
)


@dataclass(frozen=True, slots=True)
class Plugin:
    """What kubectl runs for a token: the program, and its words after `exec-credential CONNECTION`."""

    program: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How a connection is reached. `gateway` has no slash at its end; `ca_pem` is '' where the system's certificates
    vouch for it; without a `plugin` the gateway asks nobody who they are. `server` is its address where it has a host
    name of its own, '' elsewhere."""

    connection: str
    gateway: str
    ca_pem: str = ""
    plugin: Plugin | None = None
    server: str = ""


@dataclass(frozen=True, slots=True)
class Entries:
    """The three parts, all of one name."""

    name: str
    cluster: dict[str, Any]
    user: dict[str, Any]
    context: dict[str, Any]

    def sections(self) -> Sequence[tuple[str, str, dict[str, Any]]]:
        """(section of the file, key of its entries, the entry)."""
        return (
            ("clusters", "cluster", self.cluster),
            ("users", "user", self.user),
            ("contexts", "context", self.context),
        )


def entries(reach: Reach, name: str, namespace: str = "") -> Entries:
    """The entries named `name`."""
    context = {"cluster": name, "user": name} | ({"namespace": namespace} if namespace else {})
    return Entries(name, _cluster(reach), _user(reach), context)


MEMBERS_OF_OURS = frozenset({"exec", "username", "certificate-authority-data"})
"""What we may have written into an entry once, and take out where we do not write it now."""


def is_ours(added: Entries, section: str, entry: Any) -> bool:
    """Whether an entry of a file, of the same name as ours, is one that we may write anew: it leads to a gateway."""
    if not isinstance(entry, dict):
        return False
    if section == "clusters":
        server = str(entry.get("server", ""))
        return "/k8s/" in server or server == added.cluster["server"]
    if section == "users":
        plugin = entry.get("exec")
        return entry in ({}, _NOBODY) or (isinstance(plugin, dict) and COMMAND in (plugin.get("args") or ()))
    return not entry or entry.get("cluster") == added.name == entry.get("user")


# kubectl asks for a name and a password where a cluster with TLS has no user at all
_NOBODY = {"username": "anonymous"}


def _cluster(reach: Reach) -> dict[str, Any]:
    cluster = {"server": reach.server or f"{reach.gateway}/k8s/{reach.connection}"}
    if reach.ca_pem:
        cluster["certificate-authority-data"] = base64.b64encode(reach.ca_pem.encode("ascii")).decode("ascii")
    return cluster


def _user(reach: Reach) -> dict[str, Any]:
    if reach.plugin is None:
        return dict(_NOBODY) if reach.gateway.startswith("https://") else {}
    return {
        "exec": {
            "apiVersion": VERSION,
            "command": reach.plugin.program,
            "args": [COMMAND, reach.connection, "--gateway", reach.gateway, *reach.plugin.words],
            "installHint": INSTALL_HINT,
            "interactiveMode": "IfAvailable",
            "provideClusterInfo": True,
        }
    }
