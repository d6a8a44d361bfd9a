"""What a window's value must reach: the rule's own number, and what the key and its peers learned."""

from processors.anomaly.baseline import MEMBERS_MAX, Usual, usual
from processors.anomaly.case import Case
from processors.anomaly.counting import highest, known_at
from processors.anomaly.keys import Key, row_name
from processors.anomaly.observation import Observation
from processors.anomaly.row import Row
from processors.anomaly.rules import Learned, Threshold
from processors.anomaly.sketch import item
from processors.anomaly.state import State
from processors.anomaly.telling import Excess, number

PEER_GROUPS_MAX = 4

_Base = tuple[str, float, Usual]
"""A baseline's name, the score that counts, and what is usual."""


def excess_of(case: Case, state: State) -> Excess | None:
    """By how much the fullest window of the observation is too full; None when it is not."""
    threshold = case.planned.rule.threshold
    assert threshold is not None
    value, end = highest(case)
    if value < threshold.at_least:
        return None
    bases = _bases(case, threshold, state, end) if case.planned.learns else []
    limit = _limit(case, threshold, bases)
    if limit is None or value < limit:
        return None
    told = ", ".join(
        f"{name} {number(base.centre)} ± {number(base.scale)} of {base.of}" for name, _, base in bases
    )
    return Excess(value, limit, told, (end + 1 - case.planned.span) * case.planned.bucket_us)


def _limit(case: Case, threshold: Threshold, bases: list[_Base]) -> float | None:
    """None: nothing was learned yet, and the rule waits."""
    if bases or not case.planned.learns:
        return max([threshold.at_least, *(base.limit(score) for _, score, base in bases)])
    return None if threshold.unlearned is None else max(threshold.unlearned, threshold.at_least)


def _bases(case: Case, threshold: Threshold, state: State, end: int) -> list[_Base]:
    found: list[_Base] = []
    if threshold.own and (own := usual(known_at(case, end), threshold.own)):
        found.append(("own", threshold.own.score, own))
    if threshold.peers and (peers := _peers(case, threshold.peers, state)):
        found.append(("peers", threshold.peers.score, peers))
    return found


def _peers(case: Case, learned: Learned, state: State) -> Usual | None:
    """Of several groups, the one that allows most."""
    known = []
    for name in peer_rows(case.key, case.seen):
        base = usual(_levels(case, state.find(name)), learned)
        if base:
            known.append(base)
    return max(known, key=lambda base: base.limit(learned.score), default=None)


def _levels(case: Case, row: Row | None) -> list[float]:
    members = row.peers.get(case.planned.slot, {}) if row else {}
    myself = item(row_name(case.key))
    return [level for member, (_, level) in sorted(members.items()) if member != myself]


def peer_rows(key: Key, seen: Observation) -> list[str]:
    """The rows with the levels of this key's peers: those of the same groups, or all where it has none."""
    kind = "+".join(name for name, _ in key)
    personal = {"principal", "session"} & {name for name, _ in key}
    groups = sorted(seen.groups)[:PEER_GROUPS_MAX] if personal else []
    return [f"peers/{kind}/{group}" for group in groups or [""]]


def put_level(row: Row, slot: int, member: bytes, window: int, level: float) -> None:
    """Remember the level of one member; of too many, the one that was heard of longest ago goes."""
    members = row.peers.setdefault(slot, {})
    members[member] = (window, level)
    if len(members) > MEMBERS_MAX:
        del members[min(members, key=lambda each: (members[each][0], each))]
