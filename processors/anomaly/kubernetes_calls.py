"""What a request to a Kubernetes API server touches, read out of the attributes of its record.

The words are those that tool calls have (`touched.py`): a Secret read by kubectl and one read by a tool are the same
object, so that a scan that changes its way is one scan.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qs

from processors.anomaly.observation import EVERYWHERE, Observation
from processors.anomaly.touched import OBJECT_CHARACTERS_MAX
from processors.anomaly.words import asks_for_credentials, is_sensitive, kind_named

VERB = "k8s.verb"
_REF = "k8s.objectRef."
_VERBS = {"patch": "update", "deletecollection": "delete", "proxy": "exec"}
_INSIDE = frozenset({"exec", "attach", "portforward", "ephemeralcontainers"})
_MANY = frozenset({"list", "watch", "deletecollection"})
_READS = frozenset({"get", "list", "watch"})
_MINTED = frozenset({"serviceaccounts/token", "certificatesigningrequests/approval"})
_QUERY_FIELDS_MAX = 200
# Of the resources that belong to no namespace, those that are listed often; to list any other one reaches everywhere
_SPACELESS = frozenset(
    {
        "apiservices",
        "certificatesigningrequests",
        "clusterrolebindings",
        "clusterroles",
        "customresourcedefinitions",
        "ingressclasses",
        "mutatingwebhookconfigurations",
        "nodes",
        "persistentvolumes",
        "priorityclasses",
        "runtimeclasses",
        "storageclasses",
        "validatingwebhookconfigurations",
        "volumeattachments",
    }
)


def is_kubernetes(attributes: Mapping[str, str]) -> bool:
    """Whether the record is of a request to an API server."""
    return VERB in attributes


def is_discovery(attributes: Mapping[str, str]) -> bool:
    """Whether it asks what there is to ask for: /api, /openapi, /version."""
    return is_kubernetes(attributes) and f"{_REF}resource" not in attributes


def seen_in(base: Observation, attributes: Mapping[str, str], path: str) -> Observation:
    """`base` with what the request touches. `path` is the recorded one, with its query."""
    said, resource = attributes.get(VERB, ""), attributes.get(f"{_REF}resource", "")
    if not resource:
        return replace(base, verb=said if said in _READS else "")
    subresource = attributes.get(f"{_REF}subresource", "")
    whole = f"{resource}/{subresource}" if subresource else resource
    kind, name = kind_named(resource), attributes.get(f"{_REF}name", "")
    space = _space(attributes, resource, said)
    inside = subresource in _INSIDE or whole == "nodes/proxy"
    command = _command(path) if inside else ""
    # a way into a pod is another object than the pod: whoever may not go in may still look at it
    parts = (space, kind, name, subresource if inside or whole in _MINTED else "")
    return replace(
        base,
        tool=f"{said} {whole}".strip(),
        verb=_verb(said, whole, subresource),
        object="/".join(filter(None, parts))[:OBJECT_CHARACTERS_MAX],
        namespace=space,
        sensitive=_is_sensitive(kind, said, whole, command),
        minted=whole in _MINTED and said not in _READS,
        prompt=asks_for_credentials([command]) if command else False,
    )


def _verb(said: str, whole: str, subresource: str) -> str:
    if subresource in _INSIDE or whole == "nodes/proxy":
        return "exec"
    return "delete" if subresource == "eviction" else _VERBS.get(said, said)


def _space(attributes: Mapping[str, str], resource: str, said: str) -> str:
    named = attributes.get(f"{_REF}namespace", "")
    if resource == "namespaces":
        return EVERYWHERE if said in _MANY else ""
    if named or resource in _SPACELESS or said not in _MANY:
        return named
    return EVERYWHERE


def _is_sensitive(kind: str, said: str, whole: str, command: str) -> bool:
    """Secrets read, credentials made, ways into pods and kubelets."""
    if kind == "Secret":
        return said in _READS
    inside = whole.partition("/")[2] in _INSIDE or whole == "nodes/proxy" or said == "proxy"
    return inside or whole in _MINTED or is_sensitive("", "", command)


def _command(path: str) -> str:
    """The command that a request runs in a pod, out of its masked query."""
    try:
        asked = parse_qs(path.partition("?")[2], max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        return ""
    return " ".join([*asked.get("command", []), *asked.get("cmd", [])])
