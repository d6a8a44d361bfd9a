"""Bodies that write a Secret without saying so: a patch has no kind, and the API server needs none to be created.

Masking finds a Secret's values by its kind. So the record has such a body with the kind that its path says: a patch
by operations with each value of the data as that of a Secret of its own.
"""

from typing import Any

import msgspec

from gateway.kubernetes.call import KubernetesCall
from gateway.kubernetes.masked import WRITES

KIND = "Secret"
_DATA = frozenset({"", "data", "stringData"})


def with_kind(call: KubernetesCall, body: bytes) -> bytes:
    """`body` as it is masked and recorded: of a write of a Secret that does not say so, as JSON with its kind."""
    info = call.info
    if (info.api_group, info.resource) != ("", "secrets") or info.verb not in WRITES or not call.shown:
        return body
    value = msgspec.json.decode(call.shown)
    if isinstance(value, list):
        return msgspec.json.encode([_operation(each) for each in value])
    return body if value.get("kind") else msgspec.json.encode({"kind": KIND, **_without(value, "kind")})


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    """One of a JSON patch."""
    if "value" not in operation or operation["path"].lstrip("/").partition("/")[0] not in _DATA:
        return operation
    value = operation["value"]
    plain = _without(operation, "value")
    if not isinstance(value, dict):
        return {**plain, "kind": KIND, "data": {"value": value}}
    if operation["path"]:
        return {**plain, "kind": KIND, "data": value}
    return {**plain, "value": {"kind": KIND, **_without(value, "kind")}}


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key != name}
