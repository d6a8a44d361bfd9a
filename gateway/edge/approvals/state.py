"""What the settled records say together: pure, no I/O; the time is given, UTC in microseconds.

Of an approval the highest version counts, so records may come twice, late or again. An ended one is remembered past
every end that it ever had: what is replayed until then finds it, and what is replayed later has ended by itself.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any

from gateway.held import Approval, ApprovalState
from gateway.sessions import Principal
from schemas.approvals import ANY_NUMBER, ApprovalRequest, ApprovalSettled

SECOND = 1_000_000
KEEP = 600 * SECOND
"""How long an ended approval can still be looked at."""

APPROVALS_MAX = 50_000
OPEN_MAX = 1_000
"""Pending and approved ones of one principal."""

Owner = tuple[str, str]
"""Issuer and subject."""


def owner(principal: Principal) -> Owner:
    """Whose approvals these are: another token or client of the same principal is the same owner."""
    return principal.issuer, principal.subject


@dataclass(frozen=True, slots=True)
class Known:
    """One approval; version 0 is a request that was not settled yet. `until`: the latest end of all its versions."""

    approval_id: str
    version: int
    state: ApprovalState
    kind: str
    owner: Owner
    connection: str
    method: str
    tool: str
    verb: str
    object: str
    digest: str
    policy_version: str
    rule: str
    bound: str
    uses_left: int
    ends_at: int
    until: int
    approvers: tuple[str, ...] = ()
    comment: str = ""
    refusal: str = ""
    review_due_at: int | None = None

    @property
    def open(self) -> bool:
        """Whether something may come of it, if time does not end it before."""
        return self.state in ("pending", "approved")

    @property
    def unasked(self) -> bool:
        """Whether it is used without asking the machine each time, until it ends."""
        return self.kind == "access" or (self.kind == "standing" and self.uses_left == ANY_NUMBER)

    def now(self, at: int) -> ApprovalState:
        """Its state at that time: nothing holds past its end, whether that was settled yet or not."""
        return "expired" if self.open and at >= self.ends_at else self.state

    def told(self, at: int) -> Approval:
        """As the rest of the gateway knows it."""
        attributes: dict[str, Any] = {
            name: getattr(self, name) for name in ("connection", "method", "tool", "verb", "object", "rule")
        }
        attributes["review_due_at"] = self.review_due_at
        return Approval(
            self.approval_id,
            self.now(at),
            self.kind,
            self.uses_left,
            self.ends_at,
            self.approvers,
            self.comment,
            self.refusal,
            attributes,
        )


class ApprovalsState:
    """All approvals that still matter, by id, and the open ones by owner and connection."""

    def __init__(self, approvals_max: int = APPROVALS_MAX, open_max: int = OPEN_MAX) -> None:
        self._approvals_max = approvals_max
        self._open_max = open_max
        self._known: dict[str, Known] = {}
        self._own: dict[Owner, dict[str, None]] = {}
        self._open: dict[Owner, dict[str, Known]] = {}
        self._access: dict[str, int] = {}
        self._spent: OrderedDict[str, None] = OrderedDict()
        self._ends: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._known)

    def apply(self, record: ApprovalSettled, at: int) -> bool | None:
        """Takes in a believed record: whether it changed anything, None when there is no room for a new approval."""
        before = self._known.get(record["approval_id"])
        if before is None and record["ends_at"] + KEEP <= at:
            return False
        if before is not None and record["version"] <= before.version:
            return False
        known = _known(record, before)
        if before is None and not self._room(known):
            return None
        self._put(known, before)
        return True

    def get(self, approval_id: str) -> Known | None:
        """The approval; None when it is not known (any more)."""
        return self._known.get(approval_id)

    def open_of(self, who: Owner) -> list[Known]:
        """Pending and approved ones, the oldest first; time may have ended some."""
        return list(self._open.get(who, {}).values())

    def all_of(self, who: Owner) -> list[Known]:
        """All that are remembered, the oldest first."""
        return [self._known[each] for each in self._own.get(who, {})]

    def pending_of(self, who: Owner, at: int) -> int:
        """How many people are still asked about."""
        return sum(each.now(at) == "pending" for each in self._open.get(who, {}).values())

    def access(self, who: Owner, connection: str, at: int) -> bool:
        """Whether a grant of access is in force."""
        return any(
            each.kind == "access" and each.connection == connection and each.now(at) == "approved"
            for each in self._open.get(who, {}).values()
        )

    def ended_access(self, after: int, at: int) -> bool:
        """Whether time ended a grant of access since `after`, whatever was settled of it."""
        return any(after < ends_at <= at for ends_at in self._access.values())

    def sweep(self, at: int) -> None:
        """Forgets what ended long ago."""
        while self._ends and self._ends[0][0] + KEEP <= at:
            _, approval_id = heappop(self._ends)
            known = self._known.get(approval_id)
            if known is not None and known.until + KEEP <= at:
                self._forget(known)

    def _room(self, known: Known) -> bool:
        if len(self._open.get(known.owner, {})) >= self._open_max:
            return False
        if len(self._known) >= self._approvals_max and self._spent:
            self._forget(self._known[next(iter(self._spent))])
        return len(self._known) < self._approvals_max

    def _put(self, known: Known, before: Known | None) -> None:
        self._known[known.approval_id] = known
        self._own.setdefault(known.owner, {})[known.approval_id] = None
        if before is None or before.until != known.until:
            heappush(self._ends, (known.until, known.approval_id))
        if known.open:
            self._open.setdefault(known.owner, {})[known.approval_id] = known
            if known.kind == "access":
                self._access[known.approval_id] = known.ends_at
        else:
            self._close(known)

    def _close(self, known: Known) -> None:
        _drop(self._open, known)
        self._access.pop(known.approval_id, None)
        if known.kind in (
            "call",
            "break_glass",
        ):  # the machine is asked for each use: a replay of these is idle
            self._spent.setdefault(known.approval_id)

    def _forget(self, known: Known) -> None:
        del self._known[known.approval_id]
        self._spent.pop(known.approval_id, None)
        self._access.pop(known.approval_id, None)
        _drop(self._open, known)
        _drop(self._own, known)


def _drop(index: "dict[Owner, dict[str, Any]]", known: Known) -> None:
    own = index.get(known.owner)
    if own is not None:
        own.pop(known.approval_id, None)
        if not own:
            del index[known.owner]


def asked(request: ApprovalRequest) -> Known:
    """What is known of a request that the machine has not seen yet."""
    return Known(
        request["approval_id"],
        0,
        "pending",
        request["kind"],
        (request["principal_issuer"], request["principal_subject"]),
        request["connection"],
        request["method"],
        request["tool"],
        request["verb"],
        request["object"],
        request["argument_digest"],
        request["policy_version"],
        request["rule"],
        request["bound"],
        0,
        request["expires_at"],
        request["expires_at"],
    )


def _known(record: ApprovalSettled, before: Known | None) -> Known:
    """What was said with it stays until something else is; why a later decision did not count is nobody's answer."""
    known = Known(
        record["approval_id"],
        record["version"],
        record["state"],
        record["kind"],
        (record["principal_issuer"], record["principal_subject"]),
        record["connection"],
        record["method"],
        record["tool"],
        record["verb"],
        record["object"],
        record["argument_digest"],
        record["policy_version"],
        record["rule"],
        record["bound"],
        record["uses_left"],
        record["ends_at"],
        max(record["ends_at"], before.until if before else 0),
        tuple(record["approvers"]),
        "" if record["refusal"] else record["comment"],
        "" if record["decision_id"] else record["refusal"],
        record["review_due_at"],
    )
    if before is None:
        return known
    return replace(known, comment=known.comment or before.comment, refusal=known.refusal or before.refusal)
