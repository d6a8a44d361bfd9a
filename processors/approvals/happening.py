"""What happens to an approval: somebody asks, somebody says something, or time passes."""

from typing import NamedTuple

from processors.approvals.entry import Entry
from processors.approvals.telling import Output
from schemas.approvals import ApprovalDecision, ApprovalRequest


class Asked(NamedTuple):
    """A request whose signature holds; `place` is TOPIC-PARTITION-OFFSET."""

    request: ApprovalRequest
    place: str
    partition: int


class Said(NamedTuple):
    """A decision whose signature holds, and that of its delegation."""

    decision: ApprovalDecision
    place: str
    partition: int
    offset: int


class Passed(NamedTuple):
    """Nothing but time."""


Step = tuple[Entry | None, list[Output]]
"""The next entry, None for one that is forgotten, and what is said."""
