"""What a generated month is made of, read from a YAML file: rates a day, seconds, kilobytes and probabilities.

Two files are here: rules are tuned on `tuned.yaml` alone, `unseen.yaml` is the check.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import msgspec
import yaml

VARIANTS = ("plain", "slow", "spread", "disguised")
HERE = Path(__file__).parent


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all parts of a settings file have in common: unknown names are errors."""


class Action(Read, frozen=True):
    """One kind of call. `kind` names what it is done to; `lists` takes the whole kind in a namespace."""

    connection: str
    kind: str
    tool: str = ""
    method: str = "tools/call"
    verb: str = ""
    lists: bool = False
    writes: bool = False
    sensitive: bool = False
    minted: bool = False
    kb: float = 2.0  # of the answer, at the median
    sigma: float = 0.9  # of its logarithm
    redactions: float = 0.0  # on average, of personal data
    leaks: float = 0.0  # how often a secret of the place stands in the answer
    denied: float = 0.002
    failed: float = 0.015
    approval: float = 0.0
    prompt: float = 0.0  # how often harmless arguments read like credential extraction


class Role(Read, frozen=True):
    """What people or machines of one role do: `mix` weighs actions."""

    mix: dict[str, float]
    sittings: float = 4.0  # a day
    calls: float = 25.0  # in a sitting, at the median
    sigma: float = 0.8
    gap_s: float = 30.0
    abroad: float = 0.06  # how often a sitting looks into another team's namespace


class Team(Read, frozen=True):
    """One team; `people` counts its people by role."""

    zone: str
    people: dict[str, int]
    begins: float = 9.0  # o'clock in its zone
    ends: float = 17.5
    namespaces: int = 6
    agents: int = 3
    agent_role: str = "agent"
    ci: int = 2
    merges: float = 10.0  # a day, of each CI principal
    release_days: int = 7  # from one release to the next
    holidays: tuple[date, ...] = ()


class Service(Read, frozen=True):
    """Service accounts with cron: `calls` at each tick, over `reach`; `at_hour` (UTC) makes it nightly."""

    mix: dict[str, float]
    count: int
    every_min: float = 15.0
    calls: float = 6.0
    reach: Literal["own", "all"] = "own"
    at_hour: float | None = None


class Events(Read, frozen=True):
    """What is unusual and normal."""

    joiners: int = 5
    movers: int = 3
    incident_days: tuple[int, ...] = (8, 17, 24)
    incident_failed: float = 0.35
    review_days: tuple[int, ...] = (12,)  # somebody of `reviewers` goes through every namespace
    reviewers: str = "security"
    upgrade_days: tuple[int, ...] = (6, 20)  # a tool changes, and its calls are denied until it is accepted
    lax_days: tuple[int, ...] = (14,)  # a tool changes where changes are let through
    chores: float = 0.012  # of a person a day: a task of much of one thing, such as moving secrets
    chore_acts: float = 10.0  # at the median
    chore_sigma: float = 0.6
    absent: float = 0.08
    weekend: float = 0.04
    travel: float = 0.006  # a day: a new address
    new_client: float = 0.003  # a day
    paged: float = 0.2  # a night, of whoever is on call
    loops: float = 0.06  # a run of an agent: the same call again and again
    rotated: float = 0.08  # of the secrets of a namespace, at a release
    pasted: float = 0.00002  # a call whose arguments carry a secret by mistake


class Transport(Read, frozen=True):
    """How records come: seconds of delay, and how many come late by how much."""

    delay_s: float = 0.15
    late: float = 0.004
    late_s: float = 120.0


class Misuse(Read, frozen=True):
    """One pattern, by variant: episodes, how many acts each has (from, to), how many times the usual bytes."""

    episodes: dict[str, int]
    acts: dict[str, tuple[int, int]]
    times: dict[str, float] = {}


class Variant(Read, frozen=True):
    """How a variant lies in time and over principals."""

    hours: tuple[float, float]
    principals: tuple[int, int] = (1, 1)
    sessions: int = 1


class Settings(Read, frozen=True):
    """A whole file. `means` names actions by what misuse wants of them; `kinds` counts objects a namespace."""

    name: str
    seed: int
    start: date
    days: int
    kinds: dict[str, int]
    taste: float  # sigma of how much a principal differs from its role, in pace and in each action
    turning: tuple[str, ...]  # kinds whose objects are new after a release
    actions: dict[str, Action]
    roles: dict[str, Role]
    teams: dict[str, Team]
    services: dict[str, Service]
    ci_role: str
    clients: dict[str, tuple[str, ...]]  # by sort of principal: people, agents, ci, services
    network: str
    means: dict[str, tuple[str, ...]]
    misuse: dict[str, Misuse]
    variants: dict[str, Variant]
    homes: float = 0.4  # how often a day is worked at home
    popularity: float = 1.1  # exponent of Zipf's law over objects
    misuse_from_day: int = 6
    grace_min: float = 60.0
    events: Events = Events()
    transport: Transport = Transport()


def read(path: Path | str) -> Settings:
    """Read a settings file, or one of this folder by its name; raises msgspec.ValidationError with the place."""
    file = Path(path) if str(path).endswith(".yaml") else HERE / f"{path}.yaml"
    return msgspec.convert(yaml.safe_load(file.read_text()), Settings)
