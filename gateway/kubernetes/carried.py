"""What a request carries in its body: an object, a patch, options of a delete."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.kubernetes.bodies import JSON, decoded, media_type, patch_type, read_patch
from gateway.kubernetes.changes import Changes, merged, set_by
from gateway.kubernetes.info import RequestInfo
from gateway.kubernetes.json_patch import patched
from gateway.kubernetes.problem import NotReadError
from gateway.kubernetes.protobuf import UnknownKindError

_OBJECTS: Final = frozenset({"create", "update"})
_DELETES: Final = frozenset({"delete", "deletecollection"})
CONNECTS: Final = frozenset({"exec", "attach", "portforward", "proxy"})
"""Subresources whose body, if any, is not for the API server."""


@dataclass(slots=True)
class Carried:
    """`known` is False where the body, or all that it would set, cannot be told; `shown` is it as JSON."""

    changes: Changes = field(default_factory=Changes)
    patch_type: str = ""
    api_version: str = ""
    kind: str = ""
    known: bool = True
    shown: bytes = b""

    @property
    def object(self) -> dict[str, Any]:
        """The object as far as it is known, {} where there is none."""
        return self.changes.object if isinstance(self.changes.object, dict) else {}

    def named(self, key: str) -> str:
        """A text of its metadata, '' where there is none."""
        metadata = self.object.get("metadata")
        return _text(metadata, key) if isinstance(metadata, dict) else ""


def carried(info: RequestInfo, content_type: str, body: bytes) -> Carried:
    """What `body` holds. Raises NotReadError where the API server could read another thing out of it."""
    if not body:
        return Carried()
    if not info.resource_request or info.verb == "proxy" or info.subresource in CONNECTS:
        return Carried(shown=body)
    if info.verb == "patch":
        return _patch(content_type, body)
    if info.verb in _OBJECTS or info.verb in _DELETES:
        return _object(info, content_type, body)
    raise NotReadError("a request that reads has no body; the API server would not look at it")


def _object(info: RequestInfo, content_type: str, body: bytes) -> Carried:
    media = media_type(content_type)
    try:
        value, known = decoded(body, media)
    except UnknownKindError as unknown:
        named = Changes(object={"metadata": unknown.metadata})
        return Carried(named, "", unknown.api_version, unknown.kind, known=False)
    if not isinstance(value, dict):
        raise NotReadError("the body is no object")
    changes = set_by(value) if info.verb in _OBJECTS else Changes(object=value)
    shown = body if media == JSON else msgspec.json.encode(value)
    return Carried(changes, "", _text(value, "apiVersion"), _text(value, "kind"), known, shown)


def _patch(content_type: str, body: bytes) -> Carried:
    kind = patch_type(content_type)
    value = read_patch(body, kind)
    if kind == "json":
        changes = patched(value)
        return Carried(changes, kind, known=changes.known, shown=body)
    if not isinstance(value, dict):
        raise NotReadError("the patch is no object")
    if kind == "apply":
        changes, shown = set_by(value), msgspec.json.encode(value)
    else:
        changes, shown = merged(value, strategic=kind == "strategic"), body
    return Carried(changes, kind, _text(value, "apiVersion"), _text(value, "kind"), shown=shown)


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
