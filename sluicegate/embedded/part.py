"""What the supervisor runs: a part, and the rule by which it comes back after it ended."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sluicegate.embedded.probes import Ready

RESTART_ME = 75
"""The exit code (EX_TEMPFAIL in sysexits.h) with which a part asks to be started again."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a restart: doubling, capped, spread by chance.

    A part that asked for its restart waits from `asked_s` on, one that failed from `first_s` on. Whoever ran
    for `calm_s` seconds starts from the beginning.
    """

    first_s: float = 0.5
    asked_s: float = 0.1
    cap_s: float = 5.0
    jitter: float = 0.25
    calm_s: float = 60.0

    def delay_s(self, ended_before: int, *, asked: bool, chance: float) -> float:
        """Seconds to wait after the part has ended `ended_before` times already; `chance` is in [0, 1)."""
        start = self.asked_s if asked else self.first_s
        full = min(self.cap_s, start * 2.0 ** min(ended_before, 30))
        return full * (1 - self.jitter * chance)


DATA_PATH = Backoff(first_s=0.1, cap_s=2.0, calm_s=10.0)
"""For what every call waits for: while it is away nothing passes, so it is not kept away for long."""


@dataclass
class Restarts:
    """Counts the ends of one part that came too soon after each other."""

    backoff: Backoff
    dice: random.Random
    in_a_row: int = 0

    def delay_s(self, ran_s: float, exit_code: int) -> float:
        """Note that the part ended after `ran_s` seconds; give the seconds to wait."""
        if ran_s >= self.backoff.calm_s:
            self.in_a_row = 0
        delay = self.backoff.delay_s(self.in_a_row, asked=exit_code == RESTART_ME, chance=self.dice.random())
        self.in_a_row += 1
        return delay


@dataclass(frozen=True)
class Part:
    """One child process.

    Args:
        name: short and unique; also the name of its log.
        argv: the command, run in its own session with standard input closed.
        ready: tells when it is ready (see `probes`).
        env: its whole environment; None passes on the supervisor's.
        cwd: its working directory; None keeps the supervisor's.
        stop_seconds: between SIGTERM and SIGKILL.
        ready_seconds: from a start to readiness, at the first start and at every restart.
    """

    name: str
    argv: tuple[str, ...]
    ready: Ready
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stop_seconds: float = 15.0
    ready_seconds: float = 60.0
    backoff: Backoff = field(default_factory=Backoff)
