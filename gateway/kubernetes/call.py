"""One request to a Kubernetes API server as rules, record and reviewers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from gateway.effects import Request
from gateway.frames.target import TargetError, normal_path
from gateway.kubernetes.caller import Said, read_headers
from gateway.kubernetes.carried import Carried, carried
from gateway.kubernetes.facts import Seen, attributes_of, facts_of
from gateway.kubernetes.info import RequestInfo, request_info
from gateway.kubernetes.naming import object_of
from gateway.kubernetes.options import options_of
from gateway.kubernetes.problem import bad_target
from gateway.kubernetes.queries import Query, check_query, read_query

_KEPT_CHARACTERS_MAX: Final = 512
_KEPT_MAX: Final = 1024


@dataclass(slots=True)
class KubernetesCall:
    """`facts` is `kubernetes` in conditions, `attributes` are for the record. `verb` and `object` name the call for
    reviewers; `shown` is its body as JSON, not masked. `impersonates`: it has Impersonate-* headers."""

    info: RequestInfo
    facts: Mapping[str, Any]
    attributes: Mapping[str, str]
    verb: str
    object: str
    shown: bytes
    impersonates: bool


def read(request: Request, cluster: str, *, body: bool = True) -> KubernetesCall:
    """The call that `request` is, of the cluster of that name. `body=False` leaves its body undecoded.

    Raises NotReadError where it has two readings, or a body that cannot be decoded.
    """
    said = read_headers(request.headers)
    method, target, query = request.method, request.target, request.query
    if request.body or said.impersonated:
        return _call(_asked(method, target, query), cluster, said, request.body, decode=body)
    plain = _kept if len(target) + len(query) <= _KEPT_CHARACTERS_MAX else _plain
    return _said_so(plain(method, target, query, cluster), said)


def _plain(method: str, target: str, query: str, cluster: str) -> KubernetesCall:
    """A request without a body, whoever sends it."""
    return _call(_asked(method, target, query), cluster, Said(), b"", decode=True)


_kept = lru_cache(maxsize=_KEPT_MAX)(_plain)  # the same few come again and again


def _said_so(call: KubernetesCall, said: Said) -> KubernetesCall:
    """The call with what kubectl says of itself."""
    if not (said.command or said.session):
        return call
    facts = {**call.facts, "kubectlCommand": said.command, "kubectlSession": said.session}
    named = {"kubectl.command": said.command, "kubectl.session": said.session}
    attributes = {**call.attributes, **{name: text for name, text in named.items() if text}}
    return replace(call, facts=facts, attributes=attributes)


def _asked(method: str, target: str, query: str) -> tuple[RequestInfo, Query]:
    info = request_info(method, _one_reading(target), query)
    values = read_query(query)
    if query:
        check_query(query, values, of_backend=not info.resource_request or info.proxied)
    return info, values


def _call(
    asked: tuple[RequestInfo, Query], cluster: str, said: Said, body: bytes, *, decode: bool
) -> KubernetesCall:
    info, query = asked
    holds = carried(info, said.content_type, body) if decode else Carried(known=not body)
    namespace = info.namespace or holds.named("namespace")
    name = info.name or holds.named("name")
    seen = Seen(cluster, info, namespace, name, said, holds, options_of(info, query, holds))
    about = object_of(info, namespace, name, holds.named("generateName"))
    return KubernetesCall(
        info,
        facts_of(seen),
        attributes_of(seen),
        info.verb,
        about,
        holds.shown,
        said.impersonated is not None,
    )


def _one_reading(target: str) -> str:
    try:
        return normal_path(target.encode("ascii"))
    except (TargetError, UnicodeEncodeError) as error:
        reason = error if isinstance(error, TargetError) else "a character that does not belong in a path"
        raise bad_target(f"the path has more than one reading: {reason}") from None
