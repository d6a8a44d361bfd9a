"""Bodies of requests, decoded as the API server would: JSON, YAML, protobuf."""

from typing import Any, Final

from gateway.frames import strict_json
from gateway.kubernetes.problem import NotReadError
from gateway.kubernetes.protobuf import MEDIA_TYPE as PROTOBUF
from gateway.kubernetes.protobuf import known_object
from gateway.kubernetes.yaml_bodies import yaml_to_object

DEPTH_MAX: Final = 128
JSON: Final = "application/json"
YAML: Final = "application/yaml"
PATCHES: Final = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_TYPE_NAMES: Final = frozenset({"apiVersion", "kind"})
_FAULTS: Final = {
    strict_json.DUPLICATE: "has a key twice",
    strict_json.NOT_UTF8: "is not UTF-8",
    strict_json.NUMBER: "has a number that no parser holds",
    strict_json.SURROGATE: "has half a character in it",
    strict_json.TOO_DEEP: f"is nested more than {DEPTH_MAX} levels deep",
    strict_json.TOO_MANY: f"has more than {strict_json.VALUES_MAX} values",
}


def media_type(content_type: str) -> str:
    """The media type in its plain form; JSON where none is given, as at the API server."""
    return content_type.partition(";")[0].strip().lower() or JSON


def patch_type(content_type: str) -> str:
    """json, merge, strategic or apply. The API server takes these types as they are spelled only. Raises
    NotReadError for any other."""
    found = PATCHES.get(content_type.partition(";")[0])
    if found is None:
        raise NotReadError(f"a patch has one of the content types {', '.join(PATCHES)}")
    return found


def decoded(body: bytes, media: str) -> tuple[Any, bool]:
    """The value of a body, and whether all of it is known. Raises NotReadError where it has two readings or none,
    UnknownKindError for protobuf of a kind that has no table here."""
    if media == JSON:
        return _checked(json_to_object(body)), True
    if media == YAML:
        return _checked(yaml_to_object(body, DEPTH_MAX)), True
    if media == PROTOBUF:
        return known_object(body)
    raise NotReadError(f"the body is of a type that is not read here; send {JSON}, {YAML} or {PROTOBUF}")


def read_patch(body: bytes, kind: str) -> Any:
    """The value of a patch. Raises NotReadError."""
    return _checked(yaml_to_object(body, DEPTH_MAX) if kind == "apply" else json_to_object(body))


def json_to_object(body: bytes) -> Any:
    """The value of a JSON body. Raises NotReadError."""
    fault, value = strict_json.read(body, DEPTH_MAX)
    if fault == strict_json.LOOK_ALIKE:  # names that mean something in JSON-RPC mean nothing here
        fault, value = strict_json.read(b'{"object":' + body + b"}", DEPTH_MAX + 1)
        value = value["object"] if not fault else None
    if fault:
        raise NotReadError(f"the body {_FAULTS.get(fault, 'is not JSON')}")
    return value


def _checked(value: Any) -> Any:
    """The API server finds an object's kind by names of any letter case, and reads all else by the exact ones."""
    if isinstance(value, dict):
        for name in value:
            if name not in _TYPE_NAMES and name.casefold() in ("apiversion", "kind"):
                raise NotReadError(f"the body's {name!r} is another spelling of apiVersion or kind")
    return value
