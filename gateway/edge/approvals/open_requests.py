"""What this process has asked for and what has not ended: whose it is, and whether anybody counts on it. Pure."""

from dataclasses import dataclass

from gateway.edge.approvals.state import Owner
from gateway.held import Approval, HeldCall


@dataclass(slots=True)
class _Asked:
    approval: Approval
    owner: Owner
    exchange_id: str
    doubted: bool = False
    held: HeldCall | None = None


class OpenRequests:
    """By approval id; each goes when the approval has ended or expired."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._unseen: dict[Owner, dict[str, Approval]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def add(self, approval: Approval, owner: Owner, exchange_id: str) -> None:
        """The request of a pending approval is on its way."""
        self._asked[approval.approval_id] = _Asked(approval, owner, exchange_id)
        self._unseen.setdefault(owner, {})[approval.approval_id] = approval

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
        self._see(asked)
        if state not in ("pending", "approved"):
            del self._asked[approval_id]
        held, asked.held = asked.held, None
        return held

    def asked_by(self, approval_id: str, exchange_id: str) -> bool:
        """Whether this very exchange asked for it."""
        asked = self._asked.get(approval_id)
        return asked is not None and asked.exchange_id == exchange_id

    def unseen(self, owner: Owner) -> list[Approval]:
        """What the owner has asked for here that was not seen on the topic yet."""
        return list(self._unseen.get(owner, {}).values())

    def sweep(self, now: int) -> None:
        """Forgets what has expired; UTC in microseconds."""
        for asked in [each for each in self._asked.values() if each.approval.ends_at <= now]:
            self._see(asked)
            del self._asked[asked.approval.approval_id]

    def _see(self, asked: _Asked) -> None:
        unseen = self._unseen.get(asked.owner)
        if unseen is not None:
            unseen.pop(asked.approval.approval_id, None)
            if not unseen:
                del self._unseen[asked.owner]
