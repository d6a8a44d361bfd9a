"""Protobuf bodies of the Kubernetes API as objects, with the names that they have in JSON.

A body is `k8s` and a zero byte, then runtime.Unknown: apiVersion and kind, and the object's own bytes. Source:
k8s.io/apimachinery/pkg/runtime/generated.proto and serializer/protobuf.
"""

from base64 import b64encode
from typing import Any, Final

from gateway.kubernetes.fields import META, Field, table
from gateway.kubernetes.problem import NotReadError
from gateway.kubernetes.special import OPAQUE, SPECIAL, text
from gateway.kubernetes.wire import (
    BYTES,
    VARINT,
    broken,
    fields_of,
    fields_once,
    signed,
    signed_short,
    twice,
    varint,
)

MAGIC: Final = b"k8s\0"
MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
FIELDS_MAX: Final = 50_000
DEPTH_MAX: Final = 64
_TYPE_META, _RAW, _ENCODING, _TYPE = 1, 2, 3, 4  # the fields of runtime.Unknown
_OBJECT_META: Final = f"{META}.ObjectMeta"
_WIRE: Final = {"bool": VARINT, "int32": VARINT, "int64": VARINT}
_ONCE: Final = frozenset({"", "?", "^"})


class UnknownKindError(NotReadError):
    """A kind whose fields are not known here. `metadata`: what it has there, if it is built like all others."""

    def __init__(self, api_version: str, kind: str, metadata: dict[str, Any]) -> None:
        super().__init__("the protobuf body is of a kind that is not read here; send JSON")
        self.api_version = api_version
        self.kind = kind
        self.metadata = metadata


def protobuf_to_object(body: bytes) -> Any:
    """The object in a protobuf body. Raises NotReadError; UnknownKindError for a kind that is not known here."""
    return known_object(body)[0]


def known_object(body: bytes) -> tuple[dict[str, Any], bool]:
    """The object, and whether every field of it is known here. Raises as `protobuf_to_object`."""
    api_version, kind, raw = _unpacked(body)
    message = table().message_of(api_version, kind)
    if message is None:
        raise UnknownKindError(api_version, kind, _metadata(raw))
    decoder = _Decoder()
    return {"apiVersion": api_version, "kind": kind, **decoder.message(message, raw)}, decoder.known


def _unpacked(body: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind, and the object's bytes."""
    if not body.startswith(MAGIC):
        raise NotReadError(
            "the body is not protobuf as Kubernetes has it: it does not begin with k8s and a zero"
        )
    outer = fields_once(body[len(MAGIC) :])
    packed = (text(outer.get(_ENCODING, b"")), text(outer.get(_TYPE, b"")))
    if packed not in (("", ""), ("", MEDIA_TYPE)):
        raise NotReadError("the protobuf body says that it is packed in another form; send it plain")
    type_meta, raw = outer.get(_TYPE_META, b""), outer.get(_RAW, b"")
    if isinstance(type_meta, int) or isinstance(raw, int):
        raise broken()
    named = fields_once(type_meta)
    return text(named.get(1, b"")), text(named.get(2, b"")), raw


def _metadata(raw: bytes) -> dict[str, Any]:
    """Field 1 of every kind but reviews."""
    try:
        for number, _, value in fields_of(raw):
            if number == 1 and isinstance(value, bytes):
                return _Decoder().message(_OBJECT_META, value)
    except NotReadError:
        return {}  # it is built otherwise, so it has none
    return {}


class _Decoder:
    """Messages to maps. `known` turns False at a field that has no name here: a newer API server may read it."""

    def __init__(self) -> None:
        self._messages = table().messages
        self._left = FIELDS_MAX
        self.known = True

    def message(self, name: str, data: bytes, depth: int = 0) -> dict[str, Any]:
        """The members of one message. Raises NotReadError."""
        if depth > DEPTH_MAX:
            raise NotReadError(f"the protobuf body is nested more than {DEPTH_MAX} levels deep")
        known = self._messages[name]
        seen: set[int] = set()
        found: dict[str, Any] = {}
        for number, wire, value in fields_of(data):
            self._left -= 1
            if self._left < 0:
                raise NotReadError(f"the protobuf body has more than {FIELDS_MAX} fields; send it in parts")
            field = known.get(number)
            if field is None:
                self.known = False
                continue
            if number in seen and field.mark in _ONCE:
                raise twice()
            seen.add(number)
            self._put(found, field, wire, value, depth)
        return found

    def _put(self, found: dict[str, Any], field: Field, wire: int, value: int | bytes, depth: int) -> None:
        if field.mark == "*":
            found.setdefault(field.name, []).extend(self._elements(field, wire, value, depth))
        elif field.mark == "%":
            self._entry(found.setdefault(field.name, {}), field, value, depth)
        elif field.mark == "^":
            found.update(self._value(field.kind, wire, value, depth))
        else:
            decoded = self._value(field.kind, wire, value, depth)
            if decoded or (decoded is not None and field.mark != "?"):
                found[field.name] = decoded

    def _elements(self, field: Field, wire: int, value: int | bytes, depth: int) -> list[Any]:
        """One element of a list; of numbers also many in one field (packed)."""
        if field.kind not in _WIRE or not isinstance(value, bytes):
            return [self._value(field.kind, wire, value, depth)]
        numbers, at = [], 0
        while at < len(value):
            number, at = varint(value, at)
            numbers.append(self._value(field.kind, VARINT, number, depth))
            self._left -= 1
        return numbers

    def _entry(self, into: dict[str, Any], field: Field, value: int | bytes, depth: int) -> None:
        """A map's key (field 1) and value (field 2)."""
        if isinstance(value, int):
            raise broken()
        entry = fields_once(value)
        if not entry.keys() <= {1, 2}:
            raise broken()
        key = text(entry.get(1, b""))
        if key in into:
            raise NotReadError("the protobuf body has a key twice")
        into[key] = self._value(field.kind, BYTES, entry.get(2, b""), depth)

    def _value(self, kind: str, wire: int, value: int | bytes, depth: int) -> Any:
        if wire != _WIRE.get(kind, BYTES):
            raise broken()
        if isinstance(value, int):
            return _number(kind, value)
        if kind == "string":
            return text(value)
        if kind == "bytes":
            return b64encode(value).decode("ascii")
        special = SPECIAL.get(kind)
        if special is None:
            return self.message(kind, value, depth + 1)
        made = special(value)
        if made is OPAQUE:
            self.known = False
            return None
        return made


def _number(kind: str, value: int) -> int | bool:
    if kind == "bool":
        return value != 0
    return signed_short(value) if kind == "int32" else signed(value)
