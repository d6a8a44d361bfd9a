"""Which approval a held call may join: pure."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from gateway.edge.approvals.state import Known
from gateway.held import HeldCall
from gateway.policy import Condition, ConditionError

Taken = Callable[[str], bool]
"""Whether another exchange is at this approval."""


def joined(held: HeldCall, own: Iterable[Known], at: int, taken: Taken) -> Known | None:
    """The best of the caller's `own` open approvals at `at`: its exact call approved, a grant that holds, or one
    that people are asked for already. Who breaks the glass does not wait for people."""
    found: dict[int, Known] = {}
    for each in own:
        rank = _rank(held, each, at, taken)
        if rank is not None:
            found.setdefault(rank, each)
    return found[min(found)] if found else None


def _rank(held: HeldCall, known: Known, at: int, taken: Taken) -> int | None:
    state = known.now(at)
    if state == "pending" and held.break_glass and held.hold.break_glass is not None:
        return None
    if known.kind == "standing":
        if not covers(known, held):
            return None
        return 1 if state == "approved" else 2 if state == "pending" else None
    if not exact(known, held) or taken(known.approval_id):
        return None
    return 0 if state == "approved" else 3 if state == "pending" else None


def exact(known: Known, held: HeldCall) -> bool:
    """Whether it is for this one call."""
    return known.kind in ("call", "break_glass") and _same(known, held) and known.digest == held.digest


def covers(known: Known, held: HeldCall) -> bool:
    """Whether it is for such calls, and this one lies within its bound."""
    return (
        known.kind == "standing"
        and _same(known, held)
        and (known.method, known.tool, known.verb) == (held.method, held.tool, held.verb)
        and within(known.bound, held)
    )


def within(bound: str, held: HeldCall) -> bool:
    """Whether the call lies within a bound (CEL); what is no condition, or cannot be computed, holds for nothing."""
    if not bound:
        return True
    condition = _condition(bound)
    return condition is not None and condition.holds(held.facts)


def _same(known: Known, held: HeldCall) -> bool:
    """One rule's approval is not another's: that may ask other people."""
    return (known.owner, known.connection, known.policy_version, known.rule) == (
        (held.principal.issuer, held.principal.subject),
        held.connection,
        held.policy_version,
        held.rule,
    )


@lru_cache(maxsize=512)
def _condition(text: str) -> Condition | None:
    try:
        return Condition(text)
    except ConditionError:
        return None
