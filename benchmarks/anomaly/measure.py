"""One month through the engine: what it found, and how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.anomaly.fitting import FITTING
from benchmarks.anomaly.month import Month
from benchmarks.anomaly.scoring import Score, score
from benchmarks.anomaly.settings import Settings
from processors.anomaly.detector import Detector
from processors.anomaly.finding import Finding
from processors.anomaly.rules import RuleSet
from processors.anomaly.state import State


@dataclass(frozen=True, slots=True)
class Measured:
    """A month's score. `engine_s` is processor time of the engine alone, `rows` what it keeps at the end."""

    settings: Settings
    days: int
    principals: int
    observations: int
    score: Score
    engine_s: float
    rows: int
    late: int


def measure(settings: Settings, rules: RuleSet, days: int | None = None) -> Measured:
    """Make the month, give each day of arrivals to the engine, score what it found."""
    month = Month(settings, days or settings.days)
    state = State()
    detector, findings = Detector(rules, state), list[Finding]()
    observations, engine_s = 0, 0.0
    for batch in month.batches():
        began = time.process_time()
        for seen in batch:
            findings += detector.observe(seen)
        detector.advance(batch[-1].at if batch else 0)
        engine_s += time.process_time() - began
        observations += len(batch)
    scored = score(month.episodes, findings, FITTING, settings.grace_min)
    return Measured(
        settings,
        month.days,
        len(month.world.principals),
        observations,
        scored,
        engine_s,
        len(state),
        state.late,
    )


def per_day(measured: Measured) -> float:
    """False findings a day, over all principals."""
    return measured.score.false.total() / measured.days
