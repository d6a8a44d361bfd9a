"""The user of a kubeconfig's context: what is shown to the API server. Exactly one kind of credential, or a client
certificate with a token beside it, which is one identity each to the API server as kubectl has it."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.edge.credentials.kubeconfig_entry import Entry, Faults

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"
_V1ALPHA1 = "client.authentication.k8s.io/v1alpha1"
_TOKEN = re.compile(r"[!-~]{1,65536}")
_PASSWORD = (
    "passwords are taken by no API server since Kubernetes 1.19; give it a token or a client certificate"
)
_GIVEN_UP = {
    "username": _PASSWORD,
    "password": _PASSWORD,
    "auth-provider": "`auth-provider` is no longer a part of Kubernetes; give it `exec` with the plugin of its "
    "provider, as the provider's own command writes it",
    "as": "`as` would name one user for all callers; write `impersonate` at the connection, or remove it",
    "as-groups": "`as-groups` would name groups for all callers; write `impersonate` at the connection, or remove it",
    "as-uid": "`as-uid` would name one user for all callers; remove it",
    "as-user-extra": "`as-user-extra` would name one user for all callers; remove it",
}


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program that gives the credential (client.authentication.k8s.io). `command` is a path, or a name for PATH."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    api_version: str = V1
    provide_cluster_info: bool = False
    install_hint: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """The data is PEM."""

    certificate_file: Path | None = None
    certificate_data: str = ""
    key_file: Path | None = None
    key_data: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    plugin: ExecPlugin | None = None


def user_of(entry: Entry, faults: Faults) -> User:
    """What the entry says; what is wrong with it goes to `faults`."""
    told = dict.fromkeys(text for key, text in _GIVEN_UP.items() if entry.has(key))
    faults += [entry.told(text) for text in told]
    if not told:
        _count(entry, faults)
    user = User(
        entry.file("client-certificate", faults),
        entry.pem("client-certificate-data", faults),
        entry.file("client-key", faults),
        entry.pem("client-key-data", faults),
        _token(entry, faults),
        entry.path("tokenFile"),
        _plugin(entry, faults),
    )
    if user.token_file is not None:
        entry.file("tokenFile", faults)
    return user


def _count(entry: Entry, faults: Faults) -> None:
    """Whether it is clear what is shown."""
    certificate = entry.has("client-certificate") or entry.has("client-certificate-data")
    key = entry.has("client-key") or entry.has("client-key-data")
    token = entry.has("token") or entry.has("tokenFile")
    for name in ("client-certificate", "client-key"):
        if entry.has(name) and entry.has(f"{name}-data"):
            faults.append(entry.told(f"has `{name}` and `{name}-data`; keep one of both"))
    if certificate != key:
        has, lacks = (
            ("client-certificate", "client-key") if certificate else ("client-key", "client-certificate")
        )
        faults.append(entry.told(f"has `{has}` and no `{lacks}`; give both, as files or as `-data`"))
    if entry.has("exec") and (certificate or key or token):
        faults.append(entry.told("has `exec` and another credential beside it; keep one"))
    if not (entry.has("exec") or certificate or key or token):
        faults.append(entry.told("has no credential; give it a token, a client certificate or `exec`"))


def _token(entry: Entry, faults: Faults) -> str:
    token = entry.text("token").strip()
    if entry.has("token") and not _TOKEN.fullmatch(token):
        faults.append(entry.told("`token` holds characters that no header takes; write the token alone"))
        return ""
    return token


def _plugin(entry: Entry, faults: Faults) -> ExecPlugin | None:
    if not entry.has("exec"):
        return None
    content = entry.content["exec"]
    if not isinstance(content, dict):
        faults.append(entry.told("`exec` is no block; give it `apiVersion`, `command` and `interactiveMode`"))
        return None
    plugin = Entry(entry.kind, entry.name, content, entry.folder)
    faults += [entry.told(f"`exec` {fault}") for rule in _RULES for fault in rule(plugin)]
    return ExecPlugin(
        _command(plugin),
        tuple(_texts(content.get("args")) or ()),
        _environment(content.get("env")) or (),
        plugin.text("apiVersion"),
        plugin.yes("provideClusterInfo"),
        plugin.text("installHint")[:1000],
    )


def _command(plugin: Entry) -> str:
    """A name is looked for in PATH; a path is relative to the file."""
    command = plugin.text("command")
    return str(Path(plugin.folder, command)) if os.sep in command else command


def _version_faults(plugin: Entry) -> Faults:
    version = plugin.text("apiVersion")
    if version == _V1ALPHA1:
        return [f"has `apiVersion: {version}`, which Kubernetes 1.24 has given up; write the kubeconfig anew"]
    if version not in (V1, V1BETA1):
        return [f"needs `apiVersion: {V1}`, or v1beta1 where its program speaks that"]
    return []


def _mode_faults(plugin: Entry) -> Faults:
    mode = plugin.text("interactiveMode")
    if mode == "Always":
        return ["has `interactiveMode: Always`, and nobody sits at a terminal here; log in by something else"]
    if mode not in ("Never", "IfAvailable") and (mode or plugin.text("apiVersion") == V1):
        return ["needs `interactiveMode: Never` or `IfAvailable`"]
    return []


def _shape_faults(plugin: Entry) -> Faults:
    faults = []
    if not plugin.text("command"):
        faults.append("has no `command`; give it the program that prints the credential")
    if plugin.has("args") and _texts(plugin.content["args"]) is None:
        faults.append("has `args` that are no list of text")
    if plugin.has("env") and _environment(plugin.content["env"]) is None:
        faults.append("has an `env` that is no list of `name` and `value`")
    return faults


_RULES: tuple[Callable[[Entry], Faults], ...] = (_shape_faults, _version_faults, _mode_faults)


def _texts(value: Any) -> list[str] | None:
    texts = isinstance(value, list) and all(isinstance(text, str) and "\0" not in text for text in value)
    return list(value) if texts else None


def _environment(value: Any) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(value, list):
        return None
    pairs = [
        (one.get("name"), one.get("value", "")) if isinstance(one, dict) else (None, None) for one in value
    ]
    if not all(_variable(name, text) for name, text in pairs):
        return None
    return tuple((str(name), str(text)) for name, text in pairs)


def _variable(name: object, text: object) -> bool:
    plain = isinstance(name, str) and isinstance(text, str)
    return plain and bool(name) and "=" not in str(name) and "\0" not in f"{name}{text}"
