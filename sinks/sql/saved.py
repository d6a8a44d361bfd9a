"""Saved queries: SQL with named, typed parameters that the engine binds; one in a file, and one for each view. Pure.

A file's comments say what it is for and what it takes:

    -- What the query answers, in one line.
    -- param days UInt16 = 7: how far back
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sinks.sql.views import TIMES, VIEWS

_PARAM = re.compile(r"-- param (?P<name>[a-z_]+) (?P<kind>[A-Za-z0-9()]+) = (?P<default>.*?): (?P<about>.+)")
LIMIT_MAX = 1_000_000


class SavedError(ValueError):
    """There is no such query, or it cannot be asked so. The message says what there is."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a query takes; `kind` is a type of ClickHouse."""

    name: str
    kind: str
    default: str
    about: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A query by name. `title` says in one line what it answers."""

    name: str
    title: str
    sql: str
    parameters: tuple[Parameter, ...]

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """All its parameters, with what was given in place of defaults. Raises SavedError for others."""
        known = {one.name: one.default for one in self.parameters}
        strange = sorted(given.keys() - known.keys())
        if strange:
            raise SavedError(
                f"{self.name} takes no {', '.join(strange)}; it takes {', '.join(known) or 'no parameters'}"
            )
        return known | dict(given)


@cache
def saved_queries() -> Mapping[str, Saved]:
    """All of them by name."""
    worked = [
        _read(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in files("sinks.sql").joinpath("queries").iterdir()
        if entry.name.endswith(".sql")
    ]
    found = [*worked, *(_view(name, title) for name, title in VIEWS.items())]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def saved(name: str) -> Saved:
    """The query called `name`. Raises SavedError."""
    try:
        return saved_queries()[name]
    except KeyError:
        near = [one for one in saved_queries() if name and (name in one or one in name)]
        hint = f" (perhaps {', '.join(near)})" if near else ""
        raise SavedError(
            f"there is no saved query {name!r}{hint}; `sluicegate queries list` names them"
        ) from None


def _read(name: str, text: str) -> Saved:
    comments = [line for line in text.splitlines() if line.startswith("--")]
    matches = [_PARAM.fullmatch(line) for line in comments[1:]]
    parameters = [Parameter(m["name"], m["kind"], m["default"].strip("'"), m["about"]) for m in matches if m]
    if len(parameters) != len(comments) - 1:
        raise SavedError(f"queries/{name}.sql has a comment that is no parameter")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return Saved(name, comments[0].removeprefix("-- "), body.strip().removesuffix(";"), tuple(parameters))


def _view(name: str, title: str) -> Saved:
    """A view as it is: what lies in a time, for a connection and a caller where it has them, the newest first."""
    moment, columns = TIMES[name]
    conditions, parameters = [], []
    if moment:
        conditions.append(f"{moment} >= parseDateTimeBestEffort({{since:String}})")
        conditions.append(f"{moment} < parseDateTimeBestEffort({{until:String}})")
        parameters.append(Parameter("since", "String", "2020-01-01", "from when on, UTC"))
        parameters.append(Parameter("until", "String", "2100-01-01", "until when, UTC"))
    for column in columns:
        conditions.append(f"({{{column}:String}} = '' OR {column} = {{{column}:String}})")
        parameters.append(Parameter(column, "String", "", f"only of this {column}; empty for all"))
    parameters.append(Parameter("limit", "UInt32", "1000", "at most so many rows"))
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    order = f"\nORDER BY {moment} DESC" if moment else ""
    return Saved(
        name, title, f"SELECT *\nFROM {name}{where}{order}\nLIMIT {{limit:UInt32}}", tuple(parameters)
    )
