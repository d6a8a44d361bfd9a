"""Whether a body is JSON that every parser reads alike; what may be read in two ways never reaches policy.

Source: RFC 8259; RFC 8725 and I-JSON (RFC 7493) on duplicate names and surrogates. A parser in C decodes the body
and writes it out again: of two members with one name only the last is left, and it had a colon. So as many colons
in both means that no name stands twice, at any level, and nothing has to be walked through in Python.
"""

import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

INVALID = "json_invalid"
NOT_UTF8 = "json_not_utf8"
SURROGATE = "json_lone_surrogate"
NUMBER = "json_number"
DUPLICATE = "json_duplicate_key"
LOOK_ALIKE = "json_look_alike_key"
TOO_DEEP = "too_deep"
TOO_MANY = "json_too_many_values"

VALUES_MAX = 500_000  # they make about 50 MB in memory
_LARGE = 64 * 1024  # from here on a body is judged before it is decoded
_ESCAPED_COLON = b"\\u003"
_ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F])|\\.", re.DOTALL)
_ENVELOPE = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_PARAMS = frozenset(
    {
        "name",
        "uri",
        "ref",
        "arguments",
        "_meta",
        "task",
        "taskId",
        "requestState",
        "inputResponses",
        "notifications",
    }
)
_NESTED = frozenset({"taskId", "taskIds"})

_skip = msgspec.json.Decoder(msgspec.Raw)
_decode = msgspec.json.Decoder()


class Strict(NamedTuple):
    """A reason code, '' when nothing is wrong, and then the decoded value."""

    fault: str
    value: Any = None


def fault(body: bytes, depth_max: int) -> str:
    """Reason code of what is wrong with `body`; '' when every parser reads the same out of it."""
    return read(body, depth_max).fault


def read(body: bytes, depth_max: int) -> Strict:
    """The decoded body, if every parser reads the same out of it; else why not."""
    try:
        if len(body) > _LARGE:
            _skip.decode(body)
            if _values(body) > VALUES_MAX:
                return Strict(TOO_MANY)
        value = _decode.decode(body)
    except RecursionError:
        return Strict(TOO_DEEP)
    except msgspec.ValidationError:
        return Strict(NUMBER)  # no double holds it
    except UnicodeDecodeError:
        return Strict(NOT_UTF8)
    except msgspec.DecodeError:
        return Strict(_why_not(body))
    found = _ambiguity(body, value) or _depth_fault(body, value, depth_max)
    return Strict(found) if found else Strict("", value)


def _why_not(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    if body.startswith(b"\xef\xbb\xbf"):
        return NOT_UTF8  # a mark of another encoding, which some parsers skip and some do not
    if b"NaN" in body or b"Infinity" in body:
        return NUMBER  # Python's parsers take these for numbers
    return SURROGATE if any(found[1] for found in _ESCAPE.finditer(body)) else INVALID


def _values(body: bytes) -> int:
    """No fewer than the values in it, exactly when there may be too many."""
    if len(body) - len(body.translate(None, b"[{,")) < VALUES_MAX:
        return 0
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = plain.count(b'"')
    if quotes > 4 * VALUES_MAX:  # a value has at most two strings, its name and itself
        return quotes // 4
    outside = b"".join(plain.split(b'"')[::2])
    return len(outside) - len(outside.translate(None, b"[{,"))


def _ambiguity(body: bytes, value: Any) -> str:
    colons = body.count(b":") == msgspec.json.encode(value).count(b":") and _ESCAPED_COLON not in body
    if not colons and _has_duplicates(body):
        return DUPLICATE
    return _look_alike(value)


def _has_duplicates(body: bytes) -> bool:
    """The slow way to know, member by member."""
    duplicates = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicates
        members = dict(pairs)
        duplicates = duplicates or len(members) != len(pairs)
        return members

    json.loads(body, object_pairs_hook=members, parse_int=str, parse_float=str)
    return duplicates


def _look_alike(value: Any) -> str:
    """Names that are another spelling of the protocol's: some servers take one for the other (`Name`: Go's
    encoding/json; `task_id`: the official Python SDK), so that what policy takes for an unknown member would decide
    what is executed."""
    for member in value if isinstance(value, list) else (value,):
        if not isinstance(member, dict):
            continue
        if not _ENVELOPE.issuperset(member) and _folds_into(member, _ENVELOPE):
            return LOOK_ALIKE
        params = member.get("params")
        if not isinstance(params, dict):
            continue
        if not _PARAMS.issuperset(params) and _folds_into(params, _PARAMS):
            return LOOK_ALIKE
        if ("_meta" in params or "notifications" in params) and _nested_folds(params):
            return LOOK_ALIKE
        arguments = params.get("arguments")
        if isinstance(arguments, dict) and len({name.casefold() for name in arguments}) != len(arguments):
            return LOOK_ALIKE
    return ""


def _folds_into(names: dict[str, Any], known: frozenset[str]) -> bool:
    folded = _folded(known)
    return any(name not in known and fold(name) in folded for name in names)


def _nested_folds(params: dict[str, Any]) -> bool:
    """The same of what stands in `_meta` and in a subscription, where tasks are named too."""
    meta = params.get("_meta")
    inner = [params.get("notifications"), *(meta.values() if isinstance(meta, dict) else ())]
    return any(isinstance(each, dict) and _folds_into(each, _NESTED) for each in inner)


@lru_cache(maxsize=1024)
def fold(name: str) -> str:
    """A name as the most lenient reader takes it: without letter case and underscores."""
    return name.casefold().replace("_", "")


@lru_cache(maxsize=16)
def _folded(known: frozenset[str]) -> frozenset[str]:
    return frozenset(map(fold, known))


def _depth_fault(body: bytes, value: Any, depth_max: int) -> str:
    """Level by level, so that depth costs no recursion."""
    if body.count(b"[") + body.count(b"{") <= depth_max:
        return ""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth_max):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return ""
    return TOO_DEEP
