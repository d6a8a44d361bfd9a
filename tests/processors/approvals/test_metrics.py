"""What the approvals worker counts is what it said; the reference has every figure and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from processors.approvals.metrics import ApprovalMetrics
from tests.processors.approvals.making import ISSUER, SECOND, STRANGER, T0, Desk, decision, request, use

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
NAME = "sluicegate_processor_approvals_"


@pytest.fixture
def metrics() -> ApprovalMetrics:
    return ApprovalMetrics(now=lambda: T0 + 90 * SECOND)


@pytest.fixture
def desk(metrics: ApprovalMetrics) -> Desk:
    return Desk(batch=lambda books: metrics.add(books.tally, books.rows, 0.01))


def counted(metrics: ApprovalMetrics) -> dict[str, float]:
    """Every figure that is not 0, by name and label; without the histogram."""
    return {
        "/".join([sample.name.removeprefix(NAME), *sample.labels.values()]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.value and "batch" not in sample.name and not sample.name.endswith("_created")
    }


def test_an_approval_is_counted_in_each_state_that_it_came_to(metrics: ApprovalMetrics, desk: Desk) -> None:
    desk.asked(request())
    assert counted(metrics) == {"settled_total/pending": 1, "pending": 1, "oldest_pending_seconds": 90}
    desk.told(decision(1))
    desk.told(use(2))
    assert counted(metrics) == {
        "settled_total/pending": 1,
        "settled_total/approved": 1,
        "settled_total/used": 1,
        "uses_total": 1,
    }


def test_one_voice_of_two_changes_no_state(metrics: ApprovalMetrics, desk: Desk) -> None:
    desk.asked(request(quorum=[{"reviewers": ["owners"], "people": 2}]))
    desk.told(decision(1))
    assert counted(metrics)["settled_total/pending"] == 1
    assert counted(metrics)["pending"] == 1


def test_the_oldest_that_waits_is_told_and_those_that_ended_are_not(
    metrics: ApprovalMetrics, desk: Desk
) -> None:
    desk.asked(request(1, requested_at=T0 + 30 * SECOND))
    desk.asked(request(2, requested_at=T0 - 30 * SECOND))
    assert (counted(metrics)["pending"], counted(metrics)["oldest_pending_seconds"]) == (2, 120)
    desk.tick(T0 + 900 * SECOND, number=2)
    assert counted(metrics)["settled_total/expired"] >= 1
    metrics.pending.keep(())
    assert "pending" not in counted(metrics)


def test_refused_decisions_are_counted_by_rule(metrics: ApprovalMetrics, desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1, "bob"))
    desk.told(decision(2, "carl", who_groups=["none"]))
    desk.told(decision(3, key=STRANGER))
    desk.told(decision(4, argument_digest="00" * 32))
    once = decision(5, "dora")
    desk.told(once)
    desk.told(once)
    desk.told(decision(6, "erin"))
    assert {name: count for name, count in counted(metrics).items() if name.startswith("refused")} == {
        "refused_decisions_total/approval-self": 1,
        "refused_decisions_total/approval-forged": 1,
        "refused_decisions_total/approval-altered": 1,
        "refused_decisions_total/approval-replayed": 1,
        "refused_decisions_total/not-allowed": 2,  # no reviewer, and approved already
    }


def test_ticks_and_dead_letters_are_counted(metrics: ApprovalMetrics, desk: Desk) -> None:
    desk.asked(request())
    desk.tick(T0 + SECOND)
    desk.put("approvals.decided", b"key", b"poison")
    assert counted(metrics)["ticks_total"] == 1
    assert counted(metrics)["rejected_total/undecodable"] == 1


def test_what_people_write_becomes_no_label(metrics: ApprovalMetrics, desk: Desk) -> None:
    desk.asked(request(connection="canary", principal_subject="canary", reason="canary"))
    desk.told(decision(1, "canary", comment="canary"))
    assert not any("canary" in name or ISSUER in name for name in counted(metrics))


def test_the_reference_names_every_metric_and_no_other(metrics: ApprovalMetrics) -> None:
    section = REFERENCE.read_text("utf-8").partition("\n## Approvals processor\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(sluicegate_\w+)` \|", section, re.MULTILINE)
    families = metrics.registry.collect()
    known = [family.name + ("_total" if family.type == "counter" else "") for family in families]
    assert sorted(named) == sorted(known)
