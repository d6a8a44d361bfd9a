"""A call's facts as a CEL context: only what conditions look at, since turning values over is what costs."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import cel

from gateway.policy.facts import KUBERNETES, Call
from gateway.policy.functions import BY_NAME
from gateway.policy.names import FACTS, OPEN
from gateway.policy.needs import GROUPS, Path

ELEMENTS_MAX: Final = 1_000
CHARACTERS_MAX: Final = 250_000
_DEPTH_MAX: Final = 100
_INT_MAX: Final = 2**63

Unfit = set[Path]
_OF_BODY: Final = frozenset(
    {("kubernetes",), *(("kubernetes", name) for name in ("object", "changes", "deletes"))}
)


class UnfitError(ValueError):
    """A value that no condition can be given: too large, or nothing that CEL can hold exactly."""


class Plan:
    """What to turn over for a set of paths (see `needs`)."""

    def __init__(self, paths: Iterable[Path], functions: Iterable[str]) -> None:
        wanted = set(paths)
        self._functions = {name: BY_NAME[name] for name in sorted(functions) if name in BY_NAME}
        self._typed = {
            name: _fields(name, wanted)
            for name in sorted({path[0] for path in wanted} & FACTS.keys() - {"time", "kubernetes"})
        }
        self._time = _fields("time", wanted)
        self._now = ("now",) in wanted
        self._kubernetes = any(path[0] == "kubernetes" for path in wanted)
        self._groups = None if GROUPS in wanted else sorted(path[2] for path in wanted if path[:2] == GROUPS)
        self._keys = {prefix: sorted(p[-1] for p in wanted if p[:-1] == prefix) for prefix in OPEN}
        self._whole = OPEN & wanted

    def build(self, call: Call) -> tuple[cel.Context, Unfit]:
        """The context, and the paths that could not be put into it: a condition that needs one cannot be computed."""
        context = cel.Context(None, self._functions) if self._functions else cel.Context()
        unfit: Unfit = set()
        for name, fields in self._typed.items():
            facts = getattr(call, name)
            self._add(context, unfit, name, {each: self._field(unfit, name, each, facts) for each in fields})
        if self._kubernetes:
            values = {**KUBERNETES, **call.kubernetes}
            self._add(context, unfit, "kubernetes", self._open(("kubernetes",), values, unfit))
            unfit.update(_unknown(values))
        if self._time or self._now:
            self._add_time(context, call.now)
        return context, unfit

    def _field(self, unfit: Unfit, name: str, field: str, facts: object) -> Any:
        value = getattr(facts, field)
        if (name, field) in OPEN:
            return self._open((name, field), value, unfit)
        if self._groups is not None and (name, field) == GROUPS:
            return [group for group in self._groups if group in value]
        return value

    def _open(self, prefix: Path, values: Mapping[str, Any], unfit: Unfit) -> dict[str, Any]:
        """Those members of an open map that are looked at and fit."""
        if prefix in self._whole:
            try:
                whole = dict(values)
                weigh(whole)
                return whole
            except UnfitError:
                unfit.add(prefix)
        fitting: dict[str, Any] = {}
        for key in self._keys[prefix]:
            if key in values:
                try:
                    weigh(values[key])
                    fitting[key] = values[key]
                except UnfitError:
                    unfit.add((*prefix, key))
        return fitting

    def _add(self, context: cel.Context, unfit: Unfit, name: str, fields: dict[str, Any]) -> None:
        try:
            context.add_variable(name, fields)
        except ValueError:  # text that is no Unicode, as a hostile token or header can bring
            sound = {field: value for field, value in fields.items() if _convertible(value)}
            unfit.update(path for field in fields.keys() - sound.keys() for path in self._under(name, field))
            context.add_variable(name, sound)

    def _add_time(self, context: cel.Context, now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC)
        if self._now:
            context.add_variable("now", moment)
        if self._time:
            known = {"hour": moment.hour, "weekday": moment.isoweekday(), "date": moment.date().isoformat()}
            context.add_variable("time", {field: known[field] for field in self._time})

    def _under(self, name: str, field: str) -> list[Path]:
        if name == "kubernetes":
            return [("kubernetes", field), ("kubernetes",)]
        keys = self._groups if (name, field) == GROUPS else self._keys.get((name, field))
        return [(name, field), *((name, field, key) for key in keys or ())]


def weigh(value: Any) -> None:
    """Raises UnfitError for what is larger than the limits, and for numbers and values that CEL would change."""
    if type(value) is str and len(value) <= CHARACTERS_MAX:
        return
    elements, characters, level = 0, 0, [value]
    for _ in range(_DEPTH_MAX):
        below: list[Any] = []
        elements += len(level)
        if elements > ELEMENTS_MAX:
            break
        for each in level:
            characters += _weigh_one(each, below)
        if characters > CHARACTERS_MAX:
            break
        if not below:
            return
        level = below
    raise UnfitError(
        f"is larger than {ELEMENTS_MAX} values, {CHARACTERS_MAX} characters or {_DEPTH_MAX} levels"
    )


def _weigh_one(value: Any, below: list[Any]) -> int:
    """The characters of one value; its members go to `below`."""
    kind = type(value)
    if kind is str:
        return len(value)
    if kind is dict:
        below += value.keys()
        below += value.values()
    elif kind is list:
        below += value
    elif kind is int:
        if not -_INT_MAX <= value < _INT_MAX:
            raise UnfitError("holds a number of more than 64 bits")
    elif kind is float:
        if not math.isfinite(value):
            raise UnfitError("holds a number that is none")
    elif kind is not bool and value is not None:
        raise UnfitError("holds a value that is none of JSON")
    return 0


def _unknown(kubernetes: Mapping[str, Any]) -> frozenset[Path]:
    """What nobody can say of a request whose body could not be decoded; a condition that asks for it fails."""
    return frozenset() if kubernetes["object_known"] else _OF_BODY


def _fields(name: str, wanted: set[Path]) -> tuple[str, ...]:
    return tuple(sorted({path[1] for path in wanted if path[0] == name}))


def _convertible(value: Any) -> bool:
    try:
        cel.Context().add_variable("value", value)
    except ValueError:
        return False
    return True
