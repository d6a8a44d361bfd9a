"""What a JSON patch (RFC 6902) does, as far as it says so itself."""

import re
from typing import Any, Final

import msgspec

from gateway.kubernetes.changes import Changes, member, note_values
from gateway.kubernetes.problem import NotReadError

LEVELS_MAX: Final = 100
_OPERATIONS: Final = frozenset({"add", "remove", "replace", "move", "copy", "test"})
_TAKING: Final = frozenset({"move", "copy"})
_NUMBER: Final = re.compile(r"-|[+-]?[0-9]+")  # what the API server takes for an index, too


def patched(operations: Any) -> Changes:
    """The changes; their object has the values that are added, elements of lists in the order in which they come.
    Raises NotReadError where it is no JSON patch."""
    if not isinstance(operations, list):
        raise NotReadError("a JSON patch is a list of operations")
    changes = Changes()
    for each in operations:
        _operate(changes, each)
    return changes


def takes_values(patch: bytes) -> bool:
    """Whether a JSON patch moves or copies what is in the object."""
    return any(each["op"] in _TAKING for each in msgspec.json.decode(patch))


def _operate(changes: Changes, operation: Any) -> None:
    kind = operation.get("op") if isinstance(operation, dict) else None
    if not isinstance(kind, str) or kind not in _OPERATIONS:
        raise NotReadError("an operation of a JSON patch has `op`: add, remove, replace, move, copy or test")
    keys = _pointer(operation, "path")
    if kind == "remove":
        changes.delete(_path(keys))
    elif kind in _TAKING:
        changes.known = False  # the value is in the object as it stands, which the gateway does not see
        changes.set(_path(keys))
        source = _pointer(operation, "from")
        if kind == "move":
            changes.delete(_path(source))
    elif kind != "test":
        value = operation.get("value")
        note_values(changes, _path(keys), value)
        changes.object = _placed(changes.object, keys, value)


def _pointer(operation: dict[str, Any], name: str) -> list[str]:
    """The keys of a JSON pointer (RFC 6901). The API server would take `x/spec` for `/spec`."""
    text = operation.get(name)
    if text == "":
        return []
    if not isinstance(text, str) or not text.startswith("/"):
        raise NotReadError(f"`{name}` of a JSON patch's operation is a pointer: it begins with /")
    keys = [each.replace("~1", "/").replace("~0", "~") for each in text[1:].split("/")]
    if len(keys) > LEVELS_MAX:
        raise NotReadError(f"`{name}` of a JSON patch's operation is more than {LEVELS_MAX} levels deep")
    return keys


def _path(keys: list[str]) -> str:
    path = ""
    for key in keys:
        path = f"{path}[{_index(key)}]" if _NUMBER.fullmatch(key) else member(path, key)
    return path


def _index(key: str) -> str:
    """An index in one form: the API server takes `+0` and `00` for 0, and one below zero from the end."""
    if key.startswith("-"):
        return "-"
    digits = key.lstrip("+").lstrip("0")
    return digits or "0"


def _placed(into: Any, keys: list[str], value: Any) -> Any:
    """`into` with `value` under `keys`."""
    if not keys:
        return value
    root = at = into if isinstance(into, dict | list) else _container(keys[0])
    for index, key in enumerate(keys):
        last = index + 1 == len(keys)
        at = _put(at, key, value if last else _container(keys[index + 1]), last=last)
    return root


def _put(at: Any, key: str, inner: Any, *, last: bool) -> Any:
    """`inner` under `key`, or what is there already and can hold it."""
    if isinstance(at, list):
        at.append(inner)
        return inner
    there = at.get(key)
    if last or not isinstance(there, dict | list):
        at[key] = inner
        return inner
    return there


def _container(key: str) -> Any:
    return [] if _NUMBER.fullmatch(key) else {}
