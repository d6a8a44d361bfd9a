"""The engine: one observation at a time into the rows of its keys, and the findings that come of it. Pure.

What comes out depends on what went in and on its order alone, never on the clock: the same observations make the
same findings and the same bytes of rows.
"""

from math import inf

from processors.anomaly import counting
from processors.anomaly.baseline import LEVEL_WINDOWS, busy, usual
from processors.anomaly.case import Case
from processors.anomaly.finding import Finding
from processors.anomaly.keys import VALUES, Key, keys_of, row_name
from processors.anomaly.limits import excess_of, peer_rows, put_level
from processors.anomaly.observation import Observation
from processors.anomaly.plan import Kept, Planned, plan_of
from processors.anomaly.row import Row, Slot
from processors.anomaly.rules import RuleSet
from processors.anomaly.sequences import follow
from processors.anomaly.sketch import item
from processors.anomaly.state import State
from processors.anomaly.telling import FRAMES_MAX, Excess, frame_bytes, tell

Home = tuple[str, str]
"""A dimension and its value: whose rows an observation is folded into."""

Source = tuple[int, int]
"""Partition and offset of the record that an observation was made of."""


_EWMA_STEP = 2.0


class Detector:
    """Applies `rules` to observations; what it knows is in `state`."""

    def __init__(self, rules: RuleSet, state: State) -> None:
        self._plan = plan_of(rules)
        self._state = state

    def observe(
        self, seen: Observation, home: Home | None = None, source: Source | None = None
    ) -> list[Finding]:
        """What comes of one call.

        `home`: fold it only into the rows that live there (None: into all). `source`: a row that had this record, or
        a later one of its partition, is left as it is.
        """
        found: list[Finding] = []
        for name, groups in self._plan.homes.items():
            if home is None or home[0] == name:
                for group in groups:
                    found += self._group(group, seen, home, source)
        return found

    def homes(self, seen: Observation) -> list[Home]:
        """The homes that have a row this call may change."""
        found = []
        for name, groups in self._plan.homes.items():
            if any(planned.wakes(seen) for group in groups for planned in group.rules):
                found += [(name, value) for value in VALUES[name](seen)]
        return found

    def advance(self, now: int) -> list[Finding]:
        """Forget the rows in memory that nothing at `now` (UTC, microseconds) or later can need. Finds nothing."""
        self._state.sweep(now)
        return []

    def _group(
        self, group: Kept, seen: Observation, home: Home | None, source: Source | None
    ) -> list[Finding]:
        awake = [planned for planned in group.rules if planned.wakes(seen)]
        if not awake:
            return []
        found: list[Finding | None] = []
        for key in keys_of(group.dimensions, seen, home):
            row = self._state.row(row_name(key))
            if row.apply(source) and self._timely(row, seen, group.keep_us):
                found += [self._rule(planned, key, row, seen) for planned in awake]
        return [finding for finding in found if finding]

    def _timely(self, row: Row, seen: Observation, keep_us: int) -> bool:
        if row.head and seen.at < row.head - self._plan.lateness_us:
            self._state.late += 1
            return False
        if row.outlived(seen.at):  # as if it had been forgotten in time
            row.slots, row.peers, row.born = {}, {}, 0
        row.keep_us = keep_us
        row.born = min(row.born, seen.at) if row.born else seen.at
        row.head = max(row.head, seen.at)
        return True

    def _rule(self, planned: Planned, key: Key, row: Row, seen: Observation) -> Finding | None:
        slot = row.slots.get(planned.slot)
        if slot is None:
            slot = row.slots[planned.slot] = Slot()
        counts = planned.counts(seen)
        if planned.strange:
            counts = counting.stranger(planned, slot, row.born, seen) and counts
        over = planned.learns and counting.touch(planned, slot, seen)
        if not counts and not over:
            return None
        case = Case(planned, key, row, slot, seen, self._plan.lateness_us)
        if over:
            self._close(case)
        if not counts:
            return None
        return self._sequence(case) if planned.steps else self._window(case)

    def _window(self, case: Case) -> Finding | None:
        if not counting.add(case):
            return None
        counting.prune(case)
        case.slot.frames = [*case.slot.frames[1 - FRAMES_MAX :], frame_bytes(case.seen.frame_id)]
        excess = excess_of(case, self._state)
        return tell(case, excess) if excess else None

    def _sequence(self, case: Case) -> Finding | None:
        chain = follow(case)
        if not chain:
            return None
        case.slot.frames = [met.frame for met in chain][-FRAMES_MAX:]
        return tell(case, Excess(len(chain), len(chain), "", chain[0].at))

    # -- learning

    def _close(self, case: Case) -> None:
        over = counting.closing(case)
        for window, value in over:
            counting.learn(case.slot, window, min(value, _teachable(case)))
        if over and case.planned.peers and len(case.slot.learned) >= LEVEL_WINDOWS:
            level = busy([value for _, value in case.slot.learned])
            for name in peer_rows(case.key, case.seen):
                row = self._state.row(name)
                row.head, row.keep_us = max(row.head, case.row.head), self._plan.keep_us
                put_level(row, case.planned.slot, item(row_name(case.key)), over[-1][0], level)


def _teachable(case: Case) -> float:
    """The most that a closed window may teach: what it takes to be found; a moving mean, which every window moves,
    learns two scales at a time."""
    threshold, learned = case.planned.rule.threshold, case.planned.own
    known = usual([value for _, value in case.slot.learned], learned) if learned else None
    if known is None or learned is None or threshold is None:
        return inf
    return max(threshold.at_least, known.limit(learned.score if learned.by == "median" else _EWMA_STEP))
