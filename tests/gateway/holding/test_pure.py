"""A held call as a play: what happens between approval and run."""

from __future__ import annotations

from dataclasses import replace

from gateway.effects import Ask, Await, Gone, Seek, Use
from gateway.law import Case, Open, Ruling
from gateway.policy.verdict import Verdict
from tests.gateway.holding.office import HOLDING
from tests.gateway.playbook import Playbook, Saw, frame, noted, recorded, request
from tests.gateway.waiting.shapes import APPROVED, held


class Held(Open):
    """Every call waits for a person."""

    def judge(self, case: Case) -> Ruling:  # noqa: ARG002
        return Ruling(Verdict("hold", "deletes", hold=held().hold), "v1", held=held())


def test_who_leaves_between_approval_and_run_is_not_executed_for_and_the_trail_says_so() -> None:
    assert (
        Playbook(request(), law=Held(), holding=HOLDING)
        << Saw(Seek)
        >> None
        << recorded(frame("request", outcome="pending", verdict="hold"))
        >> True
        << Saw(Ask)
        >> replace(APPROVED, state="pending")
        << Saw(Await)
        >> APPROVED
        << Saw(Use)
        >> Gone()
        << noted(frame("end", outcome="client_gone"))
    )
