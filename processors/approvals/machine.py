"""The life of one approval: a pure step from an entry and a record to the next entry and what is said.

    nothing ─▶ pending ─▶ approved ─▶ used        denied, expired, revoked and used are ends
                  │           ├─▶ expired
                  │           └─▶ revoked
                  └─▶ denied, expired, revoked

A `use` asks to run the call; only the settled record that names its `use_id` lets that exchange run it. Time is the
clock of the partition (its ticks), or the time of the signed record where that is later: no other clock is asked.
"""

from processors.approvals.asking import asked
from processors.approvals.deciding import said
from processors.approvals.entry import Entry
from processors.approvals.happening import Asked, Passed, Said, Step
from processors.approvals.law import Rules
from processors.approvals.passing import passed


def step(entry: Entry | None, record: Asked | Said | Passed, now: int, rules: Rules) -> Step:
    """`now` is the clock of the partition. None for an entry: there is nothing to remember (any more)."""
    match record:
        case Asked():
            return asked(entry, record, now, rules)
        case Said():
            if entry is not None and record.offset <= entry.applied:
                return entry, []  # done before a crash
            return said(entry, record, now, rules)
        case Passed():
            return passed(entry, now) if entry else (None, [])
