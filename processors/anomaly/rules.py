"""The rules as values. `load` reads them from YAML; `detector` applies them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from processors.anomaly.finding import Response
from schemas.findings import Severity

DIMENSIONS = (
    "principal",
    "session",
    "connection",
    "tool",
    "object",
    "namespace",
    "client",
    "address",
    "network",
    "group",
    "pseudonym",
)
"""What a rule may be kept by (`key`), alone or joined by `+`, and what may be counted as distinct or new."""

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Learned:
    """How far above a baseline the window's value must be.

    `score`: in scaled deviations. `by`: `median` (median and MAD of the closed windows) or `ewma` (their moving mean
    and variance). `periods`: closed windows that must be there (of peers: members), else the baseline says nothing.
    """

    score: float
    by: Literal["median", "ewma"] = "median"
    periods: int = 5


@dataclass(frozen=True, slots=True)
class Threshold:
    """When a window's value is too much: `at_least`, and above what the key and its peers learned, where these are
    given. A baseline that has not learned enough yet stands aside; with none left, the value must reach `unlearned`
    (None: silent until something is learned)."""

    at_least: float
    own: Learned | None = None
    peers: Learned | None = None
    unlearned: float | None = None


Wanted = Mapping[str, tuple[str | bool | int, ...]]
"""By field of an observation, the values of which it must have one; texts may hold `*` and `?`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a sequence: what it looks like, how often it comes, which fields differ from the first call's."""

    where: Wanted
    unless: Wanted = field(default_factory=dict)
    other: tuple[str, ...] = ()
    times: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """Calls that follow each other within the rule's window; all agree in the fields `same`. It has to happen
    `times` within the window, each time with other values of these fields."""

    steps: tuple[Step, ...]
    same: tuple[str, ...] = ()
    times: int = 1


@dataclass(frozen=True, slots=True)
class Example:
    """Calls that a rule must answer, or stay silent on: rows of fields of observations, `at` in seconds."""

    name: str
    fires: bool
    calls: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Either `feature` and `threshold`, or a `sequence`.

    `key`: whose calls are counted together. `window_us` slides in `buckets` steps. `where`/`unless` choose the calls.
    `strange`: dimensions; a call counts when the key met its values of all of them first within the last window.
    `memory_us`: how long a `new_*` feature and `strange` remember; `warm_up_us`: how old a key must be before
    anything is new.
    A finding ends when its condition has not held for `cooldown_us`. `title` and `explanation` are templates over
    what `telling.WORDS` lists.
    """

    name: str
    severity: Severity
    title: str
    explanation: str
    key: tuple[str, ...]
    window_us: int
    feature: str = ""
    threshold: Threshold | None = None
    sequence: Sequence | None = None
    where: Wanted = field(default_factory=dict)
    unless: Wanted = field(default_factory=dict)
    strange: tuple[str, ...] = ()
    technique: str = ""
    response: Response | None = None
    cooldown_us: int = HOUR_US
    buckets: int = 12
    memory_us: int = 35 * DAY_US
    warm_up_us: int = 3 * DAY_US
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules, by name, and how late (in event time) a call may come and still be counted."""

    rules: tuple[Rule, ...]
    lateness_us: int = 2 * MINUTE_US
    version: str = ""
