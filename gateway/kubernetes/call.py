"""One request to a Kubernetes API server as rules, record and reviewers see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.effects import Request
from gateway.frames.target import TargetError, normal_path
from gateway.kubernetes.caller import read_headers
from gateway.kubernetes.carried import Carried, carried
from gateway.kubernetes.facts import Seen, attributes_of, facts_of
from gateway.kubernetes.info import RequestInfo, request_info
from gateway.kubernetes.naming import object_of
from gateway.kubernetes.options import options_of
from gateway.kubernetes.problem import bad_target
from gateway.kubernetes.queries import check_query, read_query


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
    target = _one_reading(request.target)
    info = request_info(request.method, target, request.query)
    query = read_query(request.query)
    if request.query:
        check_query(request.query, query, of_backend=not info.resource_request or info.proxied)
    said = read_headers(request.headers)
    holds = carried(info, said.content_type, request.body) if body else Carried(known=not request.body)
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
