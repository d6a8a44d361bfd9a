"""Whose an observation is: the values of its dimensions, and where the rows of a key live.

The rows of a key live in one home, so that one partition has everything a rule needs: whatever has a principal or a
session in it lives with the principal, all else with its first dimension.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import product
from types import MappingProxyType

from processors.anomaly.observation import Observation

VALUES_MAX = 16
"""Values of one dimension (groups, pseudonyms) of one observation that are looked at."""

Key = tuple[tuple[str, str], ...]
"""Dimensions and their values, in the rule's order."""

_ESCAPES = str.maketrans({"\\": "\\\\", "/": "\\/", "+": "\\+"})


def _text(name: str) -> Callable[[Observation], tuple[str, ...]]:
    def values(seen: Observation) -> tuple[str, ...]:
        value: str = getattr(seen, name)
        return (value,) if value else ()

    return values


def _tool(seen: Observation) -> tuple[str, ...]:
    return (f"{seen.connection}/{seen.tool}",) if seen.tool else ()


def _object(seen: Observation) -> tuple[str, ...]:
    return (f"{seen.connection}/{seen.object}",) if seen.object else ()


def _network(seen: Observation) -> tuple[str, ...]:
    return (_network_of(seen.address),) if seen.address else ()


@lru_cache(maxsize=65_536)
def _network_of(address: str) -> str:
    """Where an address is at home: its first 24 bits, of IPv6 its first 48; another text as it is."""
    try:
        bits = 24 if ip_address(address).version == 4 else 48
    except ValueError:
        return address
    return str(ip_network(f"{address}/{bits}", strict=False))


def _namespace(seen: Observation) -> tuple[str, ...]:
    return (f"{seen.connection}/{seen.namespace}",) if seen.namespace else ()


VALUES: Mapping[str, Callable[[Observation], tuple[str, ...]]] = MappingProxyType(
    {
        "principal": _text("principal"),
        "session": _text("session_id"),
        "connection": _text("connection"),
        "tool": _tool,
        "object": _object,
        "namespace": _namespace,
        "client": _text("client"),
        "address": _text("address"),
        "network": _network,
        "group": lambda seen: seen.groups[:VALUES_MAX],
        "pseudonym": lambda seen: seen.pseudonyms[:VALUES_MAX],
    }
)
"""By dimension, its values for an observation. Tools, objects and namespaces are those of their connection."""


def home_of(dimensions: tuple[str, ...]) -> str:
    """The dimension that the rows of such keys live with."""
    return "principal" if {"principal", "session"} & set(dimensions) else dimensions[0]


def keys_of(dimensions: tuple[str, ...], seen: Observation, home: tuple[str, str] | None) -> list[Key]:
    """The keys of an observation; none where one of the dimensions has no value.

    `home`: only those that live with this value of this dimension.
    """
    columns = []
    for name in dimensions:
        values = VALUES[name](seen)
        if home and name == home[0]:
            values = tuple(value for value in values if value == home[1])
        columns.append([(name, value) for value in values])
    return list(product(*columns))


def row_name(key: Key) -> str:
    """The name of a key's row; different keys have different ones."""
    return "+".join(f"{name}/{value.translate(_ESCAPES)}" for name, value in key)
