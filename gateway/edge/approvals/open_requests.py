"""What this process has asked for and what has not ended: whose it is, and whether anybody counts on it. Pure."""

from collections import Counter
from dataclasses import dataclass

from gateway.edge.approvals.state import Owner
from gateway.held import HeldCall


@dataclass(slots=True)
class _Asked:
    owner: Owner
    exchange_id: str
    expires_at: int
    settled: bool = False
    doubted: bool = False
    held: HeldCall | None = None


class OpenRequests:
    """By approval id; each goes when the approval has ended or expired."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._unsettled: Counter[Owner] = Counter()

    def __len__(self) -> int:
        return len(self._asked)

    def add(self, approval_id: str, owner: Owner, exchange_id: str, expires_at: int) -> None:
        """A request is on its way; times are UTC in microseconds."""
        self._asked[approval_id] = _Asked(owner, exchange_id, expires_at)
        self._unsettled[owner] += 1

    def doubt(self, approval_id: str, held: HeldCall | None) -> None:
        """Its acknowledgement did not come: nobody waits for it. `held` is the call to take it back for."""
        asked = self._asked.get(approval_id)
        if asked is not None:
            asked.doubted, asked.held = True, held

    def doubted(self, approval_id: str) -> bool:
        """Whether nobody may join it."""
        asked = self._asked.get(approval_id)
        return asked is not None and asked.doubted

    def settle(self, approval_id: str, state: str) -> HeldCall | None:
        """It was seen on the topic; the call to take it back for where it was in doubt, told once."""
        asked = self._asked.get(approval_id)
        if asked is None:
            return None
        self._count(asked)
        if state not in ("pending", "approved"):
            del self._asked[approval_id]
        held, asked.held = asked.held, None
        return held

    def asked_by(self, approval_id: str, exchange_id: str) -> bool:
        """Whether this very exchange asked for it."""
        asked = self._asked.get(approval_id)
        return asked is not None and asked.exchange_id == exchange_id

    def unsettled(self, owner: Owner) -> int:
        """How many were asked that nobody has seen on the topic yet."""
        return self._unsettled[owner]

    def sweep(self, now: int) -> None:
        """Forgets what has expired."""
        for approval_id in [each for each, asked in self._asked.items() if asked.expires_at <= now]:
            self._count(self._asked.pop(approval_id))

    def _count(self, asked: _Asked) -> None:
        if not asked.settled:
            asked.settled = True
            self._unsettled[asked.owner] -= 1
            if not self._unsettled[asked.owner]:
                del self._unsettled[asked.owner]
