"""What a call touches, read out of its tool's name and arguments: verb, object, namespace."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from processors.anomaly.observation import EVERYWHERE
from processors.anomaly.words import kind_named, kind_of, tokens, verb_of

OBJECT_CHARACTERS_MAX = 300
_DEPTH_MAX = 6
_KIND_NAMES = ("kind", "resourceType", "resource_type", "resource", "type", "object_type")
_NAME_NAMES = ("name", "pod_name", "podName", "resource_name", "resourceName", "secret_name", "secretName")
_SPACE_NAMES = ("namespace", "ns", "project")
_ALL_NAMES = ("all_namespaces", "allNamespaces", "all-namespaces")
_VERB_NAMES = ("operation", "verb", "action", "subcommand")
_COMMAND_NAMES = ("command", "cmd", "args", "script", "query")
_PLACE_NAMES = (
    "uri",
    "url",
    "path",
    "file",
    "file_path",
    "secret_id",
    "secretId",
    "bucket",
    "table",
    "database",
    "id",
)
_CLUSTER_KINDS = frozenset({"Namespace"})
_SPACELESS_KINDS = frozenset({"", "Node", "ClusterRole", "ClusterRoleBinding", "Kubeconfig"})
_MANIFEST = re.compile(
    r"^\s*[\"']?(kind|name|namespace)[\"']?\s*:\s*[\"']?([A-Za-z0-9._-]{1,253})", re.MULTILINE
)
_FLOW = re.compile(r"[{,]\s*[\"']?(kind|name|namespace)[\"']?\s*:\s*[\"']?([A-Za-z0-9._-]{1,253})")
_KUBECTL = re.compile(
    r"\bkubectl\s+(?P<verb>[a-z-]+)\s+(?P<kind>[a-z0-9./-]+)(?:\s+(?P<name>[a-z0-9][a-z0-9.-]*))?",
    re.IGNORECASE,
)
_KUBECTL_SPACE = re.compile(
    r"(?:\s-n\s*|--namespace[= ])([a-z0-9-]+)|(\s-A\b|--all-namespaces)", re.IGNORECASE
)

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Touched:
    """What a call is about; '' where it does not say. `command` is what is run, if anything is."""

    verb: str = ""
    kind: str = ""
    object: str = ""
    namespace: str = ""
    command: str = ""


def touched(tool: str, arguments: Arguments) -> Touched:
    """What a tools/call touches."""
    command = _command(arguments)
    if found := _KUBECTL.search(command):
        return _kubectl(found, command)
    words = tokens(tool)
    said = _text(arguments, _KIND_NAMES)
    manifest = _manifest(said) if "\n" in said or "{" in said else {}
    kind = manifest.get("kind") or (kind_named(said) if said and not manifest else "") or kind_of(words)
    verb = verb_of(tokens(_text(arguments, _VERB_NAMES))) or verb_of(words)
    name = manifest.get("name") or _text(arguments, _NAME_NAMES) or _after_slash(said, manifest)
    space = _space(arguments, manifest, kind, verb, words)
    if kind:
        return Touched(verb, kind, _object(space, kind, name), space, command)
    place = next(
        (f"{key}:{_text(arguments, (key,))}" for key in _PLACE_NAMES if _text(arguments, (key,))), ""
    )
    return Touched(verb, "", (place or name)[:OBJECT_CHARACTERS_MAX], space, command)


def texts_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in arguments, keys left out."""
    if isinstance(value, str):
        yield value
    elif depth < _DEPTH_MAX and isinstance(value, Mapping):
        for each in value.values():
            yield from texts_of(each, depth + 1)
    elif depth < _DEPTH_MAX and isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            yield " ".join(value)
        else:
            for each in value:
                yield from texts_of(each, depth + 1)


def _kubectl(found: re.Match[str], command: str) -> Touched:
    kind, name = kind_named(found["kind"]), found["name"] or _after_slash(found["kind"], {})
    place = _KUBECTL_SPACE.search(command)
    space = EVERYWHERE if place and place[2] else place[1] if place else "default"
    verb = verb_of([found["verb"].lower()])
    verb = "list" if verb == "get" and not name else verb
    return Touched(verb, kind, _object(space, kind, name), space, command)


def _object(space: str, kind: str, name: str) -> str:
    return "/".join(part for part in (space, kind, name) if part)[:OBJECT_CHARACTERS_MAX]


def _space(arguments: Arguments, manifest: Mapping[str, str], kind: str, verb: str, words: list[str]) -> str:
    if any(arguments.get(name) is True for name in _ALL_NAMES):
        return EVERYWHERE
    said = manifest.get("namespace") or _text(arguments, _SPACE_NAMES)
    if said:
        return EVERYWHERE if said in ("*", "all", "--all-namespaces") else said
    if kind in _CLUSTER_KINDS and verb == "list":
        return EVERYWHERE
    if kind in _SPACELESS_KINDS or "kubectl" in words:  # kubectl without one means its default
        return ""
    return EVERYWHERE if verb == "list" else ""


def _text(arguments: Arguments, names: tuple[str, ...]) -> str:
    for name in names:
        value = arguments.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def _command(arguments: Arguments) -> str:
    for name in _COMMAND_NAMES:
        value = arguments.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            return " ".join(value)
    return ""


def _after_slash(said: str, manifest: Mapping[str, str]) -> str:
    return "" if manifest or "\n" in said else said.partition("/")[2]


def _manifest(text: str) -> dict[str, str]:
    """Kind, name and namespace of a manifest, the first of each."""
    found: dict[str, str] = {}
    for pattern in (_MANIFEST, _FLOW):
        for key, value in pattern.findall(text[:20_000]):
            found.setdefault(key, value)
    return found
