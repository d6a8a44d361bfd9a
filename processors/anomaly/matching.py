"""Whether an observation is one that a rule wants: values by field, made into one function when rules are loaded."""

import re
from collections.abc import Callable
from fnmatch import translate

from processors.anomaly.observation import Observation
from processors.anomaly.rules import Wanted

Predicate = Callable[[Observation], bool]
_OneField = Callable[[object], bool]


def predicate(where: Wanted, unless: Wanted) -> Predicate:
    """True for an observation with one of the values of each field of `where`, and not all of those of `unless`."""
    wants = [(name, _field(values)) for name, values in where.items()]
    shuns = [(name, _field(values)) for name, values in unless.items()]
    if not wants and not shuns:
        return lambda _: True

    def matches(seen: Observation) -> bool:
        if not all(fits(getattr(seen, name)) for name, fits in wants):
            return False
        return not shuns or not all(fits(getattr(seen, name)) for name, fits in shuns)

    return matches


def _field(values: tuple[str | bool | int, ...]) -> _OneField:
    patterns = [value for value in values if isinstance(value, str) and ("*" in value or "?" in value)]
    plain = frozenset(value for value in values if value not in patterns)
    pattern = re.compile("|".join(translate(each) for each in patterns)) if patterns else None

    def one(value: object) -> bool:
        return value in plain or (pattern is not None and bool(pattern.match(str(value))))

    return lambda value: any(map(one, value)) if isinstance(value, tuple) else one(value)
