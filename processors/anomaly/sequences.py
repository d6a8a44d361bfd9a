"""What followed what: the calls that a sequence may need, bounded, and the search for a chain among them.

Calls may come in any order within the lateness: all but the last step are kept for the window, the last one for the
lateness only, since it is checked on arrival and nothing is looked for with it later, unless the sequence has to
happen several times.
"""

from processors.anomaly.case import Case
from processors.anomaly.plan import Planned
from processors.anomaly.row import Met
from processors.anomaly.rules import Sequence
from processors.anomaly.sketch import ITEM_BYTES, item
from processors.anomaly.telling import frame_bytes

KEPT_MAX = 16
"""Calls kept for each step."""

Chain = list[Met]


def follow(case: Case) -> Chain:
    """Keep what the observation may be a step of; the chain that it completes, or an empty one."""
    planned, slot, seen = case.planned, case.slot, case.seen
    sequence = planned.rule.sequence
    assert sequence is not None
    steps = [place for place, wants in enumerate(planned.wanted) if wants(seen)]
    if not steps or not all(getattr(seen, name) for name in sequence.same):
        return []  # calls that name nothing do not agree in what they name
    for place in steps:
        slot.met.append(_met(place, sequence, case))
    slot.met.sort(key=lambda met: (met.at, met.frame, met.step))
    found = _chain(planned, sequence, slot.met, frame_bytes(seen.frame_id))
    if found and sequence.times > 1:
        found = _repeated(found, planned, sequence, slot.met)
    slot.met = _kept(case)
    return found


def _met(place: int, sequence: Sequence, case: Case) -> Met:
    seen = case.seen
    same = item("\n".join(str(getattr(seen, name)) for name in sequence.same)) if sequence.same else b""
    other = b"".join(item(str(getattr(seen, name))) for name in case.planned.others)
    return Met(place, seen.at, same, other, frame_bytes(seen.frame_id))


def _chain(planned: Planned, sequence: Sequence, met: list[Met], frame: bytes) -> Chain:
    """The earliest chain that has `frame` in it. `met` is in the order of time."""
    for start, first in enumerate(met):
        if first.step == planned.steps[0]:
            chain = _from(start, planned, sequence, met)
            if chain and any(each.frame == frame for each in chain):
                return chain
    return []


def _repeated(last: Chain, planned: Planned, sequence: Sequence, met: list[Met]) -> Chain:
    """`last` and the other chains within its window, one for each value of `same`; nothing where they are too few."""
    chains = {last[0].same: last}
    for start, first in enumerate(met):
        near = abs(first.at - last[-1].at) <= planned.rule.window_us
        if near and first.step == planned.steps[0] and first.same not in chains:
            chain = _from(start, planned, sequence, met)
            if chain:
                chains[first.same] = chain
    if len(chains) < sequence.times:
        return []
    return sorted((one for chain in chains.values() for one in chain), key=lambda one: (one.at, one.frame))


def _from(start: int, planned: Planned, sequence: Sequence, met: list[Met]) -> Chain:
    first = met[start]
    chain, until = [first], first.at + planned.rule.window_us
    for one in met[start + 1 :]:
        if len(chain) == len(planned.steps) or one.at > until:
            break
        step = planned.steps[len(chain)]
        if one.step == step and one.frame != chain[-1].frame and _fits(one, first, planned, sequence):
            chain.append(one)
    return chain if len(chain) == len(planned.steps) else []


def _fits(one: Met, first: Met, planned: Planned, sequence: Sequence) -> bool:
    if one.same != first.same:
        return False
    places = [planned.others.index(name) * ITEM_BYTES for name in sequence.steps[one.step].other]
    return all(one.other[at : at + ITEM_BYTES] != first.other[at : at + ITEM_BYTES] for at in places)


def _kept(case: Case) -> list[Met]:
    planned, lateness_us = case.planned, case.lateness_us
    kept: list[Met] = []
    for place in range(len(planned.wanted)):
        ends = place == planned.steps[-1] and planned.steps.count(place) == 1
        span = lateness_us if ends else planned.rule.window_us + lateness_us
        these = [each for each in case.slot.met if each.step == place]
        kept += [each for each in these if each.at >= case.row.head - span][-KEPT_MAX:]
        if ends and _times(planned) > 1:
            kept += _ended(case, these)
    return sorted(kept, key=lambda each: (each.at, each.frame, each.step))


def _ended(case: Case, ends: list[Met]) -> list[Met]:
    """Older calls that may have ended a chain: those that agree with one that may have begun it."""
    until = case.row.head - case.lateness_us
    begun = {each.same for each in case.slot.met if each.step == case.planned.steps[0]}
    near = until - case.planned.rule.window_us
    return [each for each in ends if near <= each.at < until and each.same in begun][-KEPT_MAX:]


def _times(planned: Planned) -> int:
    return planned.rule.sequence.times if planned.rule.sequence else 1
