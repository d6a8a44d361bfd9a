"""Protobuf's wire format: bytes to numbered fields.

Source: protobuf.dev/programming-guides/encoding. Only what the Kubernetes API uses: no groups.
"""

from collections.abc import Iterator
from typing import Final

from gateway.kubernetes.problem import NotReadError

VARINT: Final = 0
BYTES: Final = 2
_FIXED: Final = {1: 8, 5: 4}
_VARINT_BYTES_MAX: Final = 10
_NUMBER_MAX: Final = (1 << 29) - 1


def fields_of(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(number, wire type, value) of each field in order. Raises NotReadError where the bytes are no message."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if not 0 < number <= _NUMBER_MAX:  # readers in Go cut a larger one down to 32 bits: to another field
            raise broken()
        if wire == VARINT:
            value, at = varint(data, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = varint(data, at)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise broken()
        if size > end - at:
            raise broken()
        yield number, wire, data[at : at + size]
        at += size


def fields_once(data: bytes) -> dict[int, int | bytes]:
    """The values by number. Raises NotReadError where a number is there twice."""
    found: dict[int, int | bytes] = {}
    for number, _, value in fields_of(data):
        if number in found:
            raise twice()
        found[number] = value
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, unsigned, and where it ends. Raises NotReadError."""
    if at < len(data) and data[at] < 0x80:
        return data[at], at + 1  # most are so short
    value = shift = 0
    for index in range(at, min(at + _VARINT_BYTES_MAX, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, index + 1
        shift += 7
    raise broken()


def signed(value: int) -> int:
    """A varint as a whole number of 64 bits with its sign."""
    return value - (1 << 64) if value >= 1 << 63 else value


def signed_short(value: int) -> int:
    """A varint as a whole number of 32 bits with its sign. Raises NotReadError for one that has more: readers in Go
    cut it down to another number."""
    number = signed(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise broken()
    return number


def broken() -> NotReadError:
    """The bytes are no protobuf."""
    return NotReadError("the protobuf body is cut off or broken; send it again, or send JSON")


def twice() -> NotReadError:
    """A field that can be there once is there twice: readers differ in which of them counts."""
    return NotReadError("the protobuf body has a field twice")
