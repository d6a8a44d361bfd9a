"""One rule's windows of one key: what an observation adds, what the sliding window comes to, what closed ones teach.

A window is `span` buckets; it slides by one. Its value at bucket `end` depends on what fell into its buckets alone,
so calls may come in any order within the lateness. Windows that are learned do not slide: they lie side by side.
"""

from collections.abc import Iterable

from processors.anomaly import sketch
from processors.anomaly.baseline import HISTORY_MAX
from processors.anomaly.case import Case
from processors.anomaly.keys import VALUES
from processors.anomaly.novelty import meeting, met, unusual_hour
from processors.anomaly.observation import Observation
from processors.anomaly.plan import Planned
from processors.anomaly.row import Cell, Slot
from processors.anomaly.rules import DAY_US, HOUR_US

_HOURS = 24


def add(case: Case) -> bool:
    """Count the observation; whether any window grew."""
    planned, seen = case.planned, case.seen
    if planned.amount is not None:
        return _add_sum(case, int(planned.amount(seen)))
    if planned.distinct:
        return _add_items(case)
    fresh = _unusual(case.slot, seen) if planned.hours else _unmet(case)
    old = seen.at - case.row.born >= planned.rule.warm_up_us
    return _add_sum(case, fresh if old else 0)


def _add_sum(case: Case, amount: int) -> bool:
    if not amount:
        return False
    for cells, place in _places(case):
        before = cells.get(place, 0)
        cells[place] = amount + (before if isinstance(before, int) else 0)
    return True


def _add_items(case: Case) -> bool:
    grew = False
    for value in VALUES[case.planned.distinct](case.seen):
        one = sketch.item(value)
        for cells, place in _places(case):
            before = cells.get(place, b"")
            after = sketch.added(before if isinstance(before, bytes) else b"", one)
            if after is not before:
                cells[place] = after
                grew = True
    return grew


def _places(case: Case) -> Iterable[tuple[dict[int, Cell], int]]:
    yield case.slot.cells, case.seen.at // case.planned.bucket_us
    if case.planned.learns:
        yield case.slot.open, case.seen.at // case.planned.rule.window_us


def _unmet(case: Case) -> int:
    fresh, slot = 0, case.slot
    for value in VALUES[case.planned.new](case.seen):
        one = sketch.item(value)
        if not met(slot.known, one):
            fresh += 1
            slot.known = meeting(slot.known, one)
    return fresh


def _unusual(slot: Slot, seen: Observation) -> int:
    if not slot.hours:
        slot.hours = [0] * _HOURS
    hour, day = seen.at // HOUR_US % _HOURS, seen.at // DAY_US
    today = slot.day == day * _HOURS + hour
    before = [*slot.hours]
    before[hour] -= today
    if not today:
        slot.day = day * _HOURS + hour
        slot.hours[hour] += 1
    return int(unusual_hour(before, hour))


def stranger(planned: Planned, slot: Slot, born: int, seen: Observation) -> bool:
    """Whether the key met this call's values of all `strange` dimensions first within the last window; learns them.

    `born`: since when the key is known; before its `warm_up` is over everything it does is its own.
    """
    since, warm = seen.at - planned.rule.window_us, seen.at - born >= planned.rule.warm_up_us
    if slot.fresh:
        slot.fresh = {one: at for one, at in slot.fresh.items() if at > since}
    fresh = True
    for dimension in planned.strange:
        for value in VALUES[dimension](seen):
            one = sketch.item(f"{dimension}/{value}")
            if not met(slot.known, one):
                slot.known = meeting(slot.known, one)
                if warm:
                    slot.fresh[one] = seen.at
            fresh = fresh and one in slot.fresh
    return fresh


def highest(case: Case) -> tuple[float, int]:
    """(Value, last bucket) of the fullest window that the observation is in and that is over or under way."""
    planned = case.planned
    first = case.seen.at // planned.bucket_us
    last = min(case.row.head // planned.bucket_us, first + planned.span - 1)
    windows = ((value_at(case, end), end) for end in range(first, last + 1))
    return max(windows, key=lambda pair: pair[0])


def value_at(case: Case, end: int) -> float:
    """What the window that ends with bucket `end` comes to."""
    start = end - case.planned.span
    cells = [cell for place, cell in case.slot.cells.items() if start < place <= end]
    if case.planned.distinct:
        return float(sketch.count(sketch.union(cell for cell in cells if isinstance(cell, bytes))))
    return float(sum(cell for cell in cells if isinstance(cell, int)))


def prune(case: Case) -> None:
    """Forget the buckets that no window of a call still to come can reach."""
    slot, planned = case.slot, case.planned
    oldest = (case.row.head - case.lateness_us) // planned.bucket_us - planned.span
    if slot.cells and min(slot.cells) <= oldest:
        slot.cells = {place: cell for place, cell in slot.cells.items() if place > oldest}


def touch(planned: Planned, slot: Slot, seen: Observation) -> bool:
    """The key was active in this window, even if nothing is counted. Whether an earlier one is open still."""
    window = seen.at // planned.rule.window_us
    if window not in slot.open:
        slot.open[window] = b"" if planned.distinct else 0
    return len(slot.open) > 1


def closing(case: Case) -> list[tuple[int, float]]:
    """(Window, value) of the windows that nothing can be added to any more; they are open no longer."""
    length, now = case.planned.rule.window_us, case.row.head - case.lateness_us
    over = sorted(window for window in case.slot.open if (window + 1) * length <= now)
    return [(window, _value(case.slot.open.pop(window))) for window in over]


def _value(cell: Cell) -> float:
    return float(sketch.count(cell)) if isinstance(cell, bytes) else float(cell)


def learn(slot: Slot, window: int, value: float) -> None:
    """Keep the value of a closed window."""
    slot.learned.append((window, value))
    del slot.learned[:-HISTORY_MAX]


def known_at(case: Case, end: int) -> list[float]:
    """Values of the windows that had closed when bucket `end` began, oldest first."""
    now = end * case.planned.bucket_us - case.lateness_us
    length = case.planned.rule.window_us
    return [value for window, value in case.slot.learned if (window + 1) * length <= now]
