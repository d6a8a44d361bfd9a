"""What names of tools and values of arguments tell: verbs, kinds, credentials made, credentials asked for in words.

Bounded: only so much of a call is looked at. What is written to be overlooked is brought into one form first: letters
of other alphabets and widths, spaced-out words, digits for letters, Base64.
"""

import binascii
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Iterator

TEXT_CHARACTERS_MAX = 20_000
STRINGS_MAX = 200
_BASE64_MIN = 24

VERBS = {
    **dict.fromkeys(
        ("get", "read", "show", "view", "describe", "fetch", "log", "logs", "export", "dump"), "get"
    ),
    **dict.fromkeys(("list", "search", "find", "query", "scan", "discover", "top"), "list"),
    **dict.fromkeys(("create", "generate", "mint", "issue", "new", "add", "run", "install"), "create"),
    **dict.fromkeys(
        ("update", "patch", "apply", "edit", "set", "scale", "rollout", "upgrade", "write"), "update"
    ),
    **dict.fromkeys(("delete", "remove", "drop", "destroy", "uninstall", "drain", "evict"), "delete"),
    **dict.fromkeys(("exec", "attach", "portforward", "cp", "shell"), "exec"),
    "watch": "watch",
}

_KINDS = {
    **dict.fromkeys(("secret", "secrets"), "Secret"),
    **dict.fromkeys(("configmap", "configmaps", "cm"), "ConfigMap"),
    **dict.fromkeys(("pod", "pods", "po"), "Pod"),
    **dict.fromkeys(("namespace", "namespaces", "ns", "project", "projects"), "Namespace"),
    **dict.fromkeys(("node", "nodes", "no"), "Node"),
    **dict.fromkeys(("service", "services", "svc"), "Service"),
    **dict.fromkeys(("deployment", "deployments", "deploy"), "Deployment"),
    **dict.fromkeys(("serviceaccount", "serviceaccounts", "sa"), "ServiceAccount"),
    **dict.fromkeys(("role", "roles"), "Role"),
    **dict.fromkeys(("clusterrole", "clusterroles"), "ClusterRole"),
    **dict.fromkeys(("rolebinding", "rolebindings"), "RoleBinding"),
    **dict.fromkeys(("clusterrolebinding", "clusterrolebindings"), "ClusterRoleBinding"),
    **dict.fromkeys(("event", "events", "ev"), "Event"),
    **dict.fromkeys(("ingress", "ingresses", "ing"), "Ingress"),
    **dict.fromkeys(("job", "jobs"), "Job"),
    **dict.fromkeys(("cronjob", "cronjobs", "cj"), "CronJob"),
    **dict.fromkeys(("statefulset", "statefulsets", "sts"), "StatefulSet"),
    **dict.fromkeys(("daemonset", "daemonsets", "ds"), "DaemonSet"),
    **dict.fromkeys(("configuration", "kubeconfig"), "Kubeconfig"),
}

_SENSITIVE_KINDS = frozenset({"secret", "kubeconfig", "sealedsecret", "token", "tokenrequest", "credential"})
_SENSITIVE_NAME = re.compile(
    r"secret|credential|kubeconfig|password|passwd|private[_-]?key|vault|(?<![a-z])tokens?(?![a-z])"
)
_SENSITIVE_PLACE = re.compile(
    r"/\.aws/|/\.kube/|/\.ssh/|/etc/(?:shadow|kubernetes/)|/run/secrets|secrets?(?:/|$)|\.env(?![a-z])|id_(?:rsa|ed25519)"
)
_MINTING = re.compile(
    r"(?:create|generate|mint|issue|new|rotate|request|get[_-]session|assume)"
    r".{0,24}(?:token|credential|api[_-]?key|access[_-]?key|service[_-]?account[_-]?key|certificate|kubeconfig|role)"
)
_MINTED_KINDS = frozenset({"tokenrequest", "token", "certificatesigningrequest"})
_SECRET_WORD = (
    r"(?:passwords?|passwds?|secrets?|credentials?|api ?keys?|access ?keys?|private ?keys?|(?:access|auth|bearer|"
    r"session|service account|refresh) ?tokens?|tokens?|kubeconfigs?|environment variables?|env vars?|"
    r"connection strings?)"
)
_ASKING = re.compile(
    r"\b(?:show|give|print|dump|reveal|tell|send|extract|exfiltrate|leak|output|return|list|read|find|collect|"
    rf"display|paste|share|export|email|upload|need|want|what (?:is|are))\b.{{0,60}}?\b{_SECRET_WORD}\b"
)
_COMMAND = re.compile(
    r"(?:^|[\s;&|/(\"'])(?:printenv|env)(?:$|[\s;&|)\"'])|/run/secrets/|\.aws/credentials|169\.254\.169\.254|"
    r"metadata\.google\.internal|/etc/shadow|\.ssh/id_|get[- ]secrets?\b|(?:aws_secret_access_key|_token|_password|"
    r"_api_key)\b|\bhistory\b.{0,20}\bgrep\b|/proc/[0-9a-z*]+/environ|serviceaccount/token"
)
_SPACED = re.compile(r"\b(?:[a-z0-9][ ._*-]){3,}[a-z0-9]\b")
_CHUNK = re.compile(rf"[A-Za-z0-9+/]{{{_BASE64_MIN},4000}}={{0,2}}")
_DIGITS = str.maketrans("013457@$", "oieastas")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def tokens(name: str) -> list[str]:
    """The words of a tool's name, in small letters: `podsListAll`, `pods_list`, `pods.list`."""
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])", name[:200]) if word]


def verb_of(words: Iterable[str]) -> str:
    """The first word that is a verb, as get, list, create, update, delete, exec or watch; '' where none is."""
    return next((VERBS[word] for word in words if word in VERBS), "")


def kind_of(words: Iterable[str]) -> str:
    """The first word that is a kind of Kubernetes; '' where none is."""
    return next((_KINDS[word] for word in words if word in _KINDS), "")


def kind_named(text: str) -> str:
    """The kind that an argument names: `secrets`, `Secret`, `secrets.v1.`, `secret/db`, `v1/Secret`."""
    parts = [part for part in re.split(r"[/.,\s]+", text[:200]) if part]
    for part in parts:
        if part.lower() in _KINDS:
            return _KINDS[part.lower()]
    return parts[0] if parts else ""


def is_sensitive(kind: str, tool: str, place: str) -> bool:
    """Whether the kind, the tool's name or the place (URI, path) is where credentials are."""
    return (
        kind.lower() in _SENSITIVE_KINDS
        or bool(_SENSITIVE_NAME.search(tool.lower()))
        or bool(_SENSITIVE_PLACE.search(place.lower()))
    )


def is_minting(kind: str, verb: str, tool: str, command: str) -> bool:
    """Whether the call makes a token or a credential."""
    if kind.lower() in _MINTED_KINDS and verb in ("create", "update"):
        return True
    return any(_MINTING.search(text.lower()) for text in (tool.replace(" ", "_"), command[:500]) if text)


def asks_for_credentials(texts: Iterable[str]) -> bool:
    """Whether any of the texts asks for credentials, in words or by a command."""
    return any(_asks(form) for text in _bounded(texts) for form in _forms(text))


def _bounded(texts: Iterable[str]) -> Iterator[str]:
    left = TEXT_CHARACTERS_MAX
    for count, text in enumerate(texts):
        if count >= STRINGS_MAX or left <= 0:
            return
        yield text[:left]
        left -= len(text)


def _asks(text: str) -> bool:
    return bool(_ASKING.search(text) or _COMMAND.search(text))


def _forms(text: str) -> Iterator[str]:
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text)).casefold()
    plain = " ".join("".join(each for each in plain if not unicodedata.combining(each)).split())
    yield plain
    joined = _SPACED.sub(lambda found: re.sub(r"[ ._*-]", "", found[0]), plain)
    if joined != plain:
        yield joined
    letters = joined.translate(_DIGITS)
    if letters != joined:
        yield letters
    for chunk in list(_CHUNK.finditer(text))[:8]:
        inner = _decoded(chunk[0])
        if inner:
            yield inner.casefold()


def _decoded(chunk: str) -> str:
    try:
        raw = b64decode(chunk + "=" * (-len(chunk) % 4), validate=True)
        return raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
