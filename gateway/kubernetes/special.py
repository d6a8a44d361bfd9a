"""Messages that have a form of their own in JSON: quantities, times, numbers or text, what holds JSON itself.

Sources: the MarshalJSON functions of k8s.io/apimachinery: pkg/api/resource, pkg/apis/meta/v1, pkg/util/intstr,
pkg/runtime.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from gateway.frames import strict_json
from gateway.kubernetes.problem import NotReadError
from gateway.kubernetes.wire import broken, fields_of, fields_once, signed, signed_short

OPAQUE: Final = object()
"""What holds something that is not JSON, so that nobody can say here what it means."""

_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1"
_API: Final = "k8s.io.api"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DEPTH_MAX: Final = 64
_NANOS: Final = 1_000_000_000


def _number(found: Mapping[int, int | bytes], number: int) -> int:
    value = found.get(number, 0)
    if isinstance(value, bytes):
        raise broken()
    return signed(value)


def text(value: int | bytes) -> str:
    """A text field. Raises NotReadError."""
    if isinstance(value, int):
        raise broken()
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise NotReadError("the protobuf body has text that is no UTF-8") from None


def _quantity(data: bytes) -> str:
    return text(fields_once(data).get(1, b""))


def _int_or_string(data: bytes) -> int | str:
    found = fields_once(data)
    number = signed_short(_number(found, 2) % (1 << 64))
    return text(found.get(3, b"")) if _number(found, 1) else number


def _time(data: bytes) -> str | None:
    """RFC 3339, to the second; None for no time at all."""
    moment = _moment(data)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(data: bytes) -> str | None:
    moment = _moment(data)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(data: bytes) -> datetime | None:
    if not data:
        return None
    found = fields_once(data)
    try:
        return _EPOCH + timedelta(seconds=_number(found, 1), microseconds=_number(found, 2) // 1000)
    except OverflowError:
        raise NotReadError("the protobuf body has a time that no calendar has") from None


def _duration(data: bytes) -> str:
    nanos = _number(fields_once(data), 1)
    return f"{nanos / _NANOS:g}s"


def _json(data: bytes) -> Any:
    raw = fields_once(data).get(1, b"")
    if isinstance(raw, int):
        raise broken()
    if not raw:
        return None
    fault, value = strict_json.read(raw, _DEPTH_MAX)
    return OPAQUE if fault else value


def _items(data: bytes) -> list[str]:
    """A list that is a type of its own."""
    return [text(value) for number, _, value in fields_of(data) if number == 1]


SPECIAL: Final[Mapping[str, Callable[[bytes], Any]]] = MappingProxyType(
    {
        "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
        "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
        "k8s.io.apimachinery.pkg.runtime.RawExtension": _json,
        f"{_META}.Time": _time,
        f"{_META}.MicroTime": _micro_time,
        f"{_META}.Duration": _duration,
        f"{_META}.FieldsV1": _json,
        f"{_META}.Verbs": _items,
        f"{_API}.authentication.v1.ExtraValue": _items,
        f"{_API}.authentication.v1beta1.ExtraValue": _items,
        f"{_API}.authorization.v1.ExtraValue": _items,
        f"{_API}.authorization.v1beta1.ExtraValue": _items,
        f"{_API}.certificates.v1.ExtraValue": _items,
        f"{_API}.certificates.v1beta1.ExtraValue": _items,
    }
)
