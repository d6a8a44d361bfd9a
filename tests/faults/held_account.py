"""What became of the calls that were held while everything was killed."""

from __future__ import annotations

from tests.faults.held_calls import Attempt, Crowd, HeldCall
from tests.faults.held_desk import Decisions
from tests.faults.kills import Killer
from tests.faults.upstream import MarkedUpstream

TOLD_NOT_DONE = ("not executed", "withheld")

Faults = dict[str, list[str]]
"""What may not be, and the marks of which it is so."""


class Account:
    """`uses`: how many approvals let an exchange run; `broken`: what is wrong with their chains of records."""

    def __init__(
        self, crowd: Crowd, decisions: Decisions, upstream: MarkedUpstream, uses: int, broken: list[str]
    ) -> None:
        self._crowd, self._decisions, self._upstream = crowd, decisions, upstream
        self._calls = list(crowd.calls.values())
        present = [pair for call in self._calls for pair in self._present(call)]
        self.answered = sum(attempt.end == "done" for _, attempt in present)
        self.doubted = [_said(call, each) for call, each in present if each.end in TOLD_NOT_DONE]
        lost = [_said(call, each) for call, each in present if each.end not in ("done", *TOLD_NOT_DONE)]
        self.faults: Faults = {
            **self._runs(uses),
            "approved while the client waited, and lost": lost,
            **self._words(),
            "not final": [f"{call.mark} ({call.wish})" for call in self._calls if not call.final],
            "chains of settled records that are broken": broken,
        }

    def _present(self, call: HeldCall) -> list[tuple[HeldCall, Attempt]]:
        """The attempts whose client stood there when its approval was given."""
        given = [moment for _, moment in self._decisions.approved.get(call.mark, ())]
        return [(call, each) for each in call.attempts if any(each.waited_at(moment) for moment in given)]

    def _runs(self, uses: int) -> Faults:
        """Beside what upstream has seen."""
        seen = self._upstream.seen
        return {
            "executed without approval": [mark for mark in seen if mark not in self._decisions.approved],
            "executed that was denied, expired or left": [
                call.mark for call in self._calls if call.wish != "approve" and call.mark in seen
            ],
            "executed twice": [mark for mark, times in seen.items() if times > 1],
            "more runs than uses of approvals": [f"{seen.total()} of {uses}"] * (seen.total() > uses),
            "approved and never executed": [
                call.mark for call in self._calls if call.wish == "approve" and call.mark not in seen
            ],
        }

    def _words(self) -> Faults:
        """Beside what clients were told."""
        attempts = [(call, each) for call in self._calls for each in call.attempts]
        return {
            "told that it was not executed, though it was": [
                call.mark
                for call, each in attempts
                if each.end == "not executed" and (call.mark, each.number) in self._upstream.requests
            ],
            "denied for another reason than that it had run": [
                call.mark
                for call, each in attempts
                if (call.wish, each.end) == ("approve", "denied")
                and call.mark not in self._decisions.denied_as_it_ran
            ],
            "answers that say nothing known": [
                _said(call, each) for call, each in attempts if each.end in ("other", "silent")
            ],
        }

    @property
    def good(self) -> bool:
        """Whether there is no fault."""
        return not any(self.faults.values())

    def show(self, killer: Killer, approvals: int) -> None:
        """Prints it all; `approvals` is how many there were."""
        calls, told = self._calls, self._crowd.told
        broke = sum(each.end == "broken" for call in calls for each in call.attempts)
        wishes = {
            wish: sum(call.wish == wish for call in calls) for wish in ("approve", "deny", "expire", "gone")
        }
        print(f"  kills: {dict(killer.kills)}")
        print(f"  calls {len(calls)} {wishes}, attempts {told.total()}, connections broken {broke}")
        print(f"  what clients were told: {dict(told.most_common())}")
        print(f"  what the reviewer was told: {dict(self._decisions.told.most_common())}")
        print(f"  approvals {approvals}; executed {self._upstream.seen.total()}")
        print(f"  approved while the client waited, executed and answered: {self.answered}")
        print(f"  the same, told that it was in doubt, and repeated: {len(self.doubted)} {self.doubted[:5]}")
        print(f"  executed, the answer lost with the connection: {len(self._decisions.denied_as_it_ran)}")
        for fault, marks in self.faults.items():
            print(f"  {fault}: {len(marks)} {marks[:5] if marks else ''}".rstrip())


def _said(call: HeldCall, attempt: Attempt) -> str:
    return f"{call.mark}: {attempt.end} {attempt.reason}".strip()
