"""Which exhibits there are, and which controls of which framework they speak to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One question to the trail. `sql` has {since} and {until} in it; `id` are the columns a sample is drawn by."""

    name: str
    title: str
    shows: str
    id: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a framework, and the names of the exhibits that speak to it."""

    id: str
    title: str
    exhibits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """`name` is how it is asked for."""

    name: str
    title: str
    controls: tuple[Control, ...]

    @property
    def exhibits(self) -> tuple[str, ...]:
        """Each exhibit once, in the order in which controls name them."""
        return tuple(dict.fromkeys(name for control in self.controls for name in control.exhibits))


@cache
def exhibits() -> Mapping[str, Exhibit]:
    """All of them by name."""
    rows = [Exhibit(**{**row, "id": tuple(row["id"])}) for row in _read("exhibits.yaml")]
    return {row.name: row for row in rows}


@cache
def frameworks() -> Mapping[str, Framework]:
    """All of them by name."""
    found = {}
    for name, row in _read("frameworks.yaml").items():
        controls = (Control(one["id"], one["title"], tuple(one["exhibits"])) for one in row["controls"])
        found[name] = Framework(name, row["title"], tuple(controls))
    return found


def _read(name: str) -> Any:
    return yaml.safe_load(files("sinks.evidence").joinpath(name).read_text("utf-8"))
