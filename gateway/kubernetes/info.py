"""What a request asks of the API server, by the API server's own rules.

Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go. Kept in its order, so that the two can be compared:
policy and record must name what the server will do, also for paths that no ordinary client sends.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.kubernetes.problem import bad_target
from gateway.kubernetes.queries import Query, first, flag, read_query
from gateway.kubernetes.selectors import SelectorError, exact_name, is_label_selector

_PREFIXES: Final = frozenset({"api", "apis"})
_IN_PATH: Final = frozenset({"proxy", "watch"})
_NAMESPACE_PARTS: Final = frozenset({"status", "finalize"})
_VERBS: Final = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_OF_MANY: Final = frozenset({"list", "watch", "deletecollection"})
_INT64: Final = re.compile(r"[+-]?[0-9]{1,18}")
_KEPT_CHARACTERS_MAX: Final = 1024
_KEPT_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """`path` is decoded. `parts` begin with the resource; a name may be known by a field selector alone."""

    resource_request: bool
    path: str
    verb: str
    api_prefix: str = ""
    api_group: str = ""
    api_version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    field_selector: str = ""
    label_selector: str = ""

    @property
    def proxied(self) -> bool:
        """Whether it is for a server behind the API server."""
        return self.verb == "proxy" or self.subresource == "proxy"


def request_info(method: str, target: str, query: str) -> RequestInfo:
    """What `method` on the path `target` (percent-encoded, without the query) means. Raises NotReadError where the
    API server finds no meaning either."""
    if len(target) + len(query) > _KEPT_CHARACTERS_MAX:
        return _info(method, target, query)
    return _kept_info(method, target, query)


def _info(method: str, target: str, query: str) -> RequestInfo:
    path = unquote_to_bytes(target).decode("utf-8", "surrogateescape") if "%" in target else target
    parts = path.strip("/").split("/")
    if len(parts) < 3 or parts[0] not in _PREFIXES:
        return RequestInfo(False, path, method.lower())
    prefix, *rest = parts
    if prefix == "api":
        return _resource(method, RequestInfo(True, path, "", prefix), query, rest)
    if len(rest) < 3:
        return RequestInfo(False, path, method.lower(), api_prefix=prefix)
    return _resource(method, RequestInfo(True, path, "", prefix, rest[0]), query, rest[1:])


_kept_info = lru_cache(maxsize=_KEPT_MAX)(_info)


def _resource(method: str, known: RequestInfo, query: str, rest: list[str]) -> RequestInfo:
    version, *parts = rest
    by_path = parts[0] in _IN_PATH
    verb = _VERBS.get(method, "")
    if by_path:
        if len(parts) < 2:
            raise bad_target(
                f"the path says `{parts[0]}` and not of what; the API server cannot read it either"
            )
        verb, *parts = parts
    namespace, parts = _namespace(parts)
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 and verb != "proxy" else ""
    values = read_query(query) if query else {}
    if not name and verb == "get":
        verb, name = _listed(values)
    if not name and verb == "delete":
        verb = "deletecollection"
    selects = not by_path and verb in _OF_MANY
    return replace(
        known,
        verb=verb,
        api_version=version,
        namespace=namespace,
        resource=parts[0],
        subresource=subresource,
        name=name,
        parts=tuple(parts),
        field_selector=first(values, "fieldSelector") if selects else "",
        label_selector=first(values, "labelSelector") if selects else "",
    )


def _namespace(parts: list[str]) -> tuple[str, list[str]]:
    """The namespace, and what follows it; a namespace is a resource itself where nothing else does."""
    if parts[0] != "namespaces" or len(parts) == 1:
        return "", parts
    if len(parts) > 2 and parts[2] not in _NAMESPACE_PARTS:
        return parts[1], parts[2:]
    return parts[1], parts


def _listed(values: Query) -> tuple[str, str]:
    """The verb of a request for many, and the name of the one that its field selector asks for."""
    verb = "watch" if flag(values, "watch") else "list"
    selector = first(values, "fieldSelector")
    if "metadata.name" not in selector or not _options_are_sound(values):
        return verb, ""
    try:
        return verb, exact_name(selector)
    except SelectorError:
        return verb, ""


def _options_are_sound(values: Query) -> bool:
    """Where one option of a list cannot be read, the API server takes no name out of the selector."""
    numbers = [values[name][0] for name in ("timeoutSeconds", "limit") if name in values]
    return all(map(_INT64.fullmatch, numbers)) and is_label_selector(first(values, "labelSelector"))
