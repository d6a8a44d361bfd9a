"""Bodies that write a Secret without saying so: a patch has no kind, the API server needs none for what is created,
and YAML has many ways to write one down.

Masking finds a Secret's values by its kind. So the record has such a body as JSON, with the kind that its path says:
a patch by operations with each value of the data as that of a Secret of its own.
"""

from typing import Any

import msgspec

from gateway.effects import Request
from gateway.frames.headers import first
from gateway.kubernetes.call import KubernetesCall
from gateway.kubernetes.masked import WRITES

KIND = "Secret"
_PROTOBUF = b"k8s\0"
_BINARY = (b"application/vnd.kubernetes.protobuf", b"application/cbor", b"application/apply-patch+cbor")
_DATA = frozenset({"", "data", "stringData"})


def readable(call: KubernetesCall | None, request: Request) -> bytes:
    """The body of a request as it is masked and recorded: one in a binary form is decoded, since nothing is found in
    that, and one that writes a Secret says so. `call`: None for one that could not be read, of which nobody knows
    where the data of a Secret stands in it."""
    body = request.body
    binary = first(request.headers, b"content-type").lower().startswith(_BINARY) or body.startswith(_PROTOBUF)
    if call is None:
        return b"" if binary or "secrets" in request.target else body
    return with_kind(call, call.shown if binary else body)


def with_kind(call: KubernetesCall, body: bytes) -> bytes:
    """`body` as it is masked and recorded: of a write of a Secret that does not say so, as JSON with its kind."""
    info = call.info
    if (info.api_group, info.resource) != ("", "secrets") or info.verb not in WRITES or not call.shown:
        return body
    value = msgspec.json.decode(call.shown)
    if isinstance(value, list):
        return msgspec.json.encode([_operation(each) for each in value])
    if value.get("kind") and _is_plain_json(body):
        return body
    return msgspec.json.encode({"kind": value.get("kind") or KIND, **_without(value, "kind")})


def _is_plain_json(body: bytes) -> bool:
    """Whether it is JSON whose names stand as they are: `Sec\\u0072et` is one, too."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return b"\\u" not in body


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
