"""Reading the trail: sessions, exchanges, frames and free queries, as typed rows with ISO times.

What can be asked for is in filters.py, what comes back in shapes.py; both can be had from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sinks.filters import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, Scope, SessionFilter
from sinks.shapes import (
    AdminAct,
    Branch,
    Exchange,
    Finding,
    FindingAct,
    FindingRate,
    Frame,
    FrameDetail,
    Options,
    Overview,
    OverviewBucket,
    OverviewTotals,
    Quorum,
    Redaction,
    RuleCount,
    Session,
    SessionBucket,
    SessionCounts,
    StoredApproval,
    TopRow,
)

LIMIT_MAX = 100_000
BUCKETS_MAX = 500

__all__ = [
    "BUCKETS_MAX",
    "LIMIT_MAX",
    "AdminAct",
    "AdminFilter",
    "ApprovalFilter",
    "Branch",
    "Exchange",
    "Finding",
    "FindingAct",
    "FindingFilter",
    "FindingRate",
    "Frame",
    "FrameDetail",
    "FrameFilter",
    "Options",
    "Overview",
    "OverviewBucket",
    "OverviewTotals",
    "Quorum",
    "ReadError",
    "Reader",
    "Redaction",
    "RuleCount",
    "Scope",
    "Session",
    "SessionBucket",
    "SessionCounts",
    "SessionFilter",
    "StoredApproval",
    "Table",
    "TopRow",
]


class ReadError(ValueError):
    """A question cannot be answered. `status` is the HTTP status that says so; the text says what to change."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a free query: column names, and rows of plain JSON values."""

    columns: list[str]
    rows: list[list[Any]]


class Reader(Protocol):
    """What can be asked of the trail, of a store directly or through the query API.

    `connections` is the scope of who asks: None for everything, else what is of these connections alone; what lies
    outside is answered as if it were not there. Lists give `limit` rows, and beyond it those of the very time of the
    last one, so that the next page, asked for with `before`, lacks none.

    Raises ReadError for a question that cannot be answered, StoreAwayError when nobody answers.
    """

    async def sessions(self, wanted: SessionFilter, limit: int) -> Sequence[Session]:
        """The sessions with the latest activity first."""
        ...

    async def session(self, session_id: str, connections: Scope = None) -> Session | None:
        """One session; None when the trail has none of this id."""
        ...

    async def session_counts(self, wanted: SessionFilter, buckets: int) -> SessionCounts:
        """How many sessions there are (exact up to 10,000), and a histogram of so many buckets over `since` to
        `until`, the last 24 hours where these are not given."""
        ...

    async def session_exchanges(
        self, session_id: str, limit: int, after: str = "", connections: Scope = None
    ) -> Sequence[Exchange]:
        """The exchanges of a session in the order they began, without frames; `after`: the id of
        the last one shown."""
        ...

    async def frames(self, wanted: FrameFilter, limit: int) -> Sequence[Frame]:
        """Frames in the order of recording; those of a session include all of its exchanges."""
        ...

    async def frame(self, frame_id: str, connections: Scope = None) -> FrameDetail | None:
        """One frame with its headers and digests; None when the trail has none of this id."""
        ...

    async def exchange(self, exchange_id: str, connections: Scope = None) -> Exchange | None:
        """One exchange with its frames; None when the trail has none of this id."""
        ...

    async def tree(self, exchange_id: str, connections: Scope = None) -> Sequence[Branch]:
        """What caused the exchange and what it caused, from the first cause down, each before what it caused; empty
        when the trail has none of this id. What lies outside the scope is left out, and what is only known through
        it."""
        ...

    async def admin(self, wanted: AdminFilter, limit: int) -> Sequence[AdminAct]:
        """What operators did, the latest first."""
        ...

    async def findings(self, wanted: FindingFilter, limit: int) -> Sequence[Finding]:
        """Findings, the latest raised first."""
        ...

    async def finding(self, finding_id: str, connections: Scope = None) -> Finding | None:
        """One finding with its acts in order; None when the trail has none of this id."""
        ...

    async def finding_rates(self, connections: Scope = None) -> Sequence[FindingRate]:
        """What became of the findings of each rule."""
        ...

    async def approvals(self, wanted: ApprovalFilter, limit: int) -> Sequence[StoredApproval]:
        """Approvals, the latest asked first."""
        ...

    async def approval(self, approval_id: str, connections: Scope = None) -> StoredApproval | None:
        """One approval; None when the trail has none of this id."""
        ...

    async def overview(self, since: str, until: str, connections: Scope = None) -> Overview:
        """What happened between two ISO times."""
        ...

    async def options(self, connections: Scope = None) -> Options:
        """What filters can be set to."""
        ...

    async def query(self, sql: str) -> Table:
        """The answer to one read-only SQL statement, over all connections."""
        ...

    async def close(self) -> None:
        """Lets go of the store."""
        ...
