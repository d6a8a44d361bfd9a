"""The names a condition may use: facts with their fields, functions, and what each of them gives.

Kinds: bool, int, uint, double, string, bytes, list, map, timestamp, duration, null, type; `any` is
known at run time only.
"""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Final, get_args, get_origin, get_type_hints

from gateway.policy.facts import KUBERNETES, Call

# maps of any keys, put before a condition key by key
OPEN: Final = frozenset(
    {("tool", "arguments"), ("tool", "annotations"), ("kubernetes",), ("connection", "labels")}
)
TIME: Final = MappingProxyType({"hour": "int", "weekday": "int", "date": "string"})


def _kind(hint: object) -> str:
    if hint in (str, int, bool, float):
        return {str: "string", int: "int", bool: "bool", float: "double"}[hint]
    origin = get_origin(hint)
    if origin is tuple:
        return "list"
    return "string" if get_args(hint) and isinstance(get_args(hint)[0], str) else "map"


def _facts() -> dict[str, Mapping[str, str]]:
    hints = get_type_hints(Call)
    found: dict[str, Mapping[str, str]] = {}
    for each in fields(Call):
        kind = hints[each.name]
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
            found[each.name] = MappingProxyType({n: _kind(h) for n, h in get_type_hints(kind).items()})
    return found


def _kind_of(value: object) -> str:
    kinds = {str: "string", int: "int", bool: "bool", list: "list", dict: "map"}
    return kinds[type(value)]


FACTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        **_facts(),
        "kubernetes": MappingProxyType({name: _kind_of(value) for name, value in KUBERNETES.items()}),
        "time": TIME,
    }
)
"""Fields and their kinds, by fact. `now` has no fields and stands in VARIABLES only."""

VARIABLES: Final[Mapping[str, str]] = MappingProxyType({**dict.fromkeys(FACTS, "map"), "now": "timestamp"})

TYPE_NAMES: Final = frozenset({"int", "uint", "double", "string", "bytes", "list", "map", "bool"})

FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "has": "bool",
        "size": "int",
        "int": "int",
        "uint": "uint",
        "double": "double",
        "string": "string",
        "bytes": "bytes",
        "type": "type",
        "timestamp": "timestamp",
        "duration": "duration",
        "sql_verbs": "list",
        "path_within": "bool",
        "path_parts": "list",
        "name_parts": "list",
        "shell_commands": "list",
    }
)
METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("startsWith", "endsWith", "contains", "matches"), "bool"),
        **dict.fromkeys(("exists", "all", "exists_one", "existsOne"), "bool"),
        **dict.fromkeys(("map", "filter"), "list"),
        **dict.fromkeys(
            ("size", "getFullYear", "getMonth", "getDayOfMonth", "getDate", "getDayOfWeek"), "int"
        ),
        **dict.fromkeys(("getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"), "int"),
    }
)
ARGUMENTS: Final[Mapping[str, int]] = MappingProxyType({"path_within": 2})
"""How many arguments a function takes; one where it is not named here."""
