"""What time does to an approval: it ends, a review is missed, a decision waits in vain, an end is forgotten."""

from dataclasses import replace

from processors.approvals import telling
from processors.approvals.entry import Entry
from processors.approvals.happening import Step
from processors.approvals.telling import Output
from processors.approvals.terms import SECOND

KEEP = 24 * 3600 * SECOND
"""How long an ended approval is remembered, so that what is replayed is known."""

PARK = 600 * SECOND
"""How long a decision waits for its request."""


def due_at(entry: Entry) -> int:
    """When time will change this entry, if nothing else does before."""
    if entry.request is None:
        return entry.parked_since + PARK if entry.parked_since else 0
    moments = [entry.ends_at if entry.state in ("pending", "approved") else _end(entry) + KEEP]
    if entry.review_due_at is not None and not entry.reviewed_by and not entry.review_missed:
        moments.append(entry.review_due_at)
    return min(moments)


def passed(entry: Entry, now: int) -> Step:
    """`now` is the clock of the partition."""
    if now < due_at(entry):
        return entry, []
    if entry.request is None and not entry.parked_since:
        return replace(entry, parked_since=now), []  # what stood in the log for long is not late for that
    if entry.request is None:
        title = "Somebody decided on an approval that nobody requested"
        places = [entry.approval_id, *(parked.place for parked in entry.parked)]
        return None, [telling.raised(telling.UNKNOWN, title, places, due_at(entry))]
    entry, outputs = overdue(entry, now)
    ended = entry.state not in ("pending", "approved") and now >= _end(entry) + KEEP
    return (None if ended else entry), outputs


def overdue(entry: Entry, now: int) -> tuple[Entry, list[Output]]:
    """What ended by itself until `now`. Its record says when it was due, not when that was seen."""
    outputs: list[Output] = []
    if entry.state in ("pending", "approved") and now >= entry.ends_at:
        entry = replace(entry, state="expired", uses_left=0, version=entry.version + 1)
        outputs.append(telling.settled(entry, f"expired:{entry.ends_at}", entry.ends_at))
    due = entry.review_due_at
    if due is not None and now >= due and not entry.reviewed_by and not entry.review_missed:
        entry = replace(entry, review_missed=True)
        title = "The glass was broken, and nobody looked at it in time"
        outputs.append(telling.raised(telling.UNREVIEWED, title, [entry.approval_id], due))
    return entry, outputs


def _end(entry: Entry) -> int:
    """Until when the approval may matter to anybody."""
    expires_at = int(entry.request["expires_at"]) if entry.request else 0
    return max(entry.ends_at, expires_at, entry.review_due_at or 0)
