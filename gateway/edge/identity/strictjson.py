"""JSON as a verifier may read it: one meaning only, or none."""

import json
import math
from typing import Any, NoReturn


def strict_object(text: bytes) -> dict[str, Any]:
    """The object that UTF-8 `text` is. Raises ValueError: not JSON, not an object, a name given twice, NaN,
    infinity, a number beyond a double (1e400), or nested too deep."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_no_twins,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value
