"""The figures of held calls: what lies between which moments, and when the limits count as met."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.approvals import STEPS, Plan, figures
from benchmarks.held import HeldGuard
from gateway.policy import read_policy

MOMENTS = ("click", "decided", "approved", "use", "used", "upstream", "answer")


def call(*milliseconds: float) -> dict[str, float]:
    """The moments of a call, so long after the one before each."""
    at, found = 0.0, {"click": 0.0}
    for name, took in zip(MOMENTS[1:], milliseconds, strict=True):
        at += took / 1000
        found[name] = at
    return found


def test_the_steps_add_up_to_the_time_from_the_click() -> None:
    found = figures(Plan(), True, [call(10, 20, 5, 20, 1, 4)] * 3)
    assert found.from_click == (60.0, 60.0)
    assert found.from_decision == (50.0, 50.0)
    assert [end for _, _, end in STEPS] == list(MOMENTS[1:])
    assert list(found.steps.values()) == [10.0, 20.0, 5.0, 20.0, 1.0, 4.0]


@pytest.mark.parametrize(("slow", "met"), [(200, True), (260, False)])
def test_the_limit_at_the_median_counts(slow: float, met: bool) -> None:
    assert figures(Plan(), True, [call(10, slow, 5, 20, 1, 4)] * 3).met is met


def test_the_limit_at_the_99th_percentile_counts() -> None:
    calls = [call(10, 20, 5, 20, 1, 4)] * 90 + [call(10, 1_200, 5, 20, 1, 4)] * 10
    assert not figures(Plan(), True, calls).met


def test_the_policy_of_the_measurement_is_one(tmp_path: Path) -> None:
    guard = HeldGuard(tmp_path)
    policy = read_policy(guard.policy_file.read_text(), guard.policy_file)
    assert [rule.name for rule in policy.rules] == ["deletes"]
