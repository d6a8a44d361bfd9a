"""Checks on a value that a pattern has found: is it a secret, or does it only stand where one could stand?"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping

from masking.pseudonym import is_masked

PLACEHOLDER = re.compile(
    r"(?i)^(?:[<\[{(%$].*|.*[>\]})%]|x{4,}.*|\*+|\.+|(.)\1*|.*\b(?:example|placeholder|redacted|changeme|dummy|your[-_ ].*)\b.*)$"
)


def entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


def not_a_placeholder(value: str) -> bool:
    """Whether this does not say of itself that it stands for a secret (`<token>`, `${TOKEN}`, `xxxx`)."""
    return PLACEHOLDER.match(value) is None


def mixed(value: str) -> bool:
    """Whether digits stand among the letters, or both cases do: prose after `Bearer` does not."""
    return any(c.isdigit() for c in value) or not (value.islower() or value.isupper() or value.istitle())


FILTERS: Mapping[str, Callable[[str], bool]] = {"placeholder": not_a_placeholder, "mixed": mixed}


def passes(value: str, filters: tuple[str, ...], least_entropy: float) -> bool:
    """Whether a found value is to be masked: not masked already, and all its rule's checks hold."""
    if is_masked(value) or (least_entropy and entropy(value) < least_entropy):
        return False
    return all(FILTERS[name](value) for name in filters)
