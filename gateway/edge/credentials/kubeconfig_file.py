"""One context of a kubeconfig, read by kubectl's rules, and refused with the remedy where kubectl would trust blind.

Relative paths are relative to the file; `…-data` is base64. What kubectl takes and the gateway does not: a server
that is not verified, a proxy, several credentials at once, identities to impersonate (`impersonate` of the connection
says that), and kinds of credentials that Kubernetes has given up.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from gateway.edge.credentials.kubeconfig_cluster import cluster_of
from gateway.edge.credentials.kubeconfig_entry import Entry, Faults
from gateway.edge.credentials.kubeconfig_user import User, user_of
from gateway.settings import KubeConfig, UpstreamTls

FILE_BYTES_MAX = 4 * 1024 * 1024  # one with certificates of hundreds of clusters is half a MiB


class KubeConfigError(ValueError):
    """A kubeconfig that cannot be used. `faults`: one line each, what is wrong and what to do; no secret of it."""

    def __init__(self, faults: Faults) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class KubeContext:
    """What a context says. `authority`: `certificate-authority-data` as it stands there or would."""

    server: str
    tls: UpstreamTls
    user: User
    names: Mapping[str, str] = field(hash=False)  # context, cluster, user: as the file calls them
    extension: Any = field(default=None, hash=False)  # what the cluster's entry has for exec plugins


def read_context(source: KubeConfig) -> KubeContext:
    """The context that `source` names. Raises KubeConfigError with all that is wrong."""
    document = _document(source.file)
    faults: Faults = []
    context = _context(document, source, faults)
    if context is None:
        raise KubeConfigError(faults)
    names = {"context": context.name, "cluster": context.text("cluster"), "user": context.text("user")}
    cluster_entry = _entry(document, "cluster", names["cluster"], source.file, faults)
    user_entry = _entry(document, "user", names["user"], source.file, faults)
    cluster = cluster_of(cluster_entry, faults) if cluster_entry else None
    user = user_of(user_entry, faults) if user_entry else None
    if faults or cluster is None or user is None:
        raise KubeConfigError(faults)
    tls = UpstreamTls(
        ca_file=cluster.ca_file,
        ca_data=cluster.ca_data,
        server_name=cluster.server_name,
        certificate_file=user.certificate_file,
        certificate_data=user.certificate_data,
        key_file=user.key_file,
        key_data=user.key_data,
    )
    return KubeContext(cluster.server, tls, user, names, cluster.extension)


def _context(document: Mapping[str, Any], source: KubeConfig, faults: Faults) -> Entry | None:
    said = document.get("current-context")
    name = source.context or (said if isinstance(said, str) else "")
    if not name:
        there = ", ".join(f"`{one}`" for one in _names(document, "contexts")) or "none"
        faults.append(f"it has no `current-context`; write `context` beside `file`: there is {there}")
        return None
    found = _entry(document, "context", name, source.file, faults)
    if found is not None:
        for part in ("cluster", "user"):
            if not found.text(part):
                faults.append(f"context `{name}` names no `{part}`; give it one (kubectl config set-context)")
    return found if not faults else None


def _entry(document: Mapping[str, Any], kind: str, name: str, file: Path, faults: Faults) -> Entry | None:
    plural = f"{kind}s"
    found = [entry for entry in _entries(document, plural) if entry.get("name") == name]
    if not found:
        close = get_close_matches(name, _names(document, plural), n=1)
        advice = f"did you mean `{close[0]}`?" if close else f"there is {_listed(_names(document, plural))}"
        faults.append(f"there is no {kind} `{name}` among its `{plural}`; {advice}")
        return None
    if len(found) > 1:
        faults.append(f"{kind} `{name}` stands there {len(found)} times; keep one")
        return None
    content = found[0].get(kind)
    if not isinstance(content, dict):
        faults.append(f"{kind} `{name}` has no block `{kind}`; write the file anew")
        return None
    return Entry(kind, name, content, file.parent)


def _entries(document: Mapping[str, Any], plural: str) -> list[dict[str, Any]]:
    entries = document.get(plural)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _names(document: Mapping[str, Any], plural: str) -> list[str]:
    return [entry["name"] for entry in _entries(document, plural) if isinstance(entry.get("name"), str)]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _document(file: Path) -> Mapping[str, Any]:
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would keep the whole gateway waiting
            raise KubeConfigError(["it is no regular file; write the path of a kubeconfig"])
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KubeConfigError([f"it cannot be read: {error.strerror}"]) from error
    if len(content) > FILE_BYTES_MAX:
        raise KubeConfigError([f"it is larger than {FILE_BYTES_MAX} bytes, which no kubeconfig is"])
    document = _parsed(content)
    if not isinstance(document, dict):
        raise KubeConfigError(["it is no kubeconfig: `clusters`, `users` and `contexts` are missing"])
    if document.get("kind", "Config") != "Config" or document.get("apiVersion", "v1") != "v1":
        raise KubeConfigError(["it is no kubeconfig, which is of `kind: Config` and `apiVersion: v1`"])
    return document


def _parsed(content: bytes) -> Any:
    try:
        return yaml.load(content, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise KubeConfigError([f"it is not YAML at line {line}: {error.problem}"]) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise KubeConfigError(["it is not YAML as kubectl reads it; write it anew"]) from None


class _Loader(yaml.SafeLoader):
    """Text stays text: a token of digits is no number. Aliases are refused, and keys that stand twice: which of two
    counts is not the same to every reader."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {  # noqa: RUF012 (PyYAML's way)
        first: [entry for entry in resolvers if entry[0].endswith((":bool", ":null"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not read here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str) or key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, "a key stands twice, or is no text", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
