"""What this process has asked for and what has not ended: whose it is, and whether anybody counts on it. Pure."""

from dataclasses import dataclass

from gateway.edge.approvals.state import Known, Owner
from gateway.held import HeldCall


@dataclass(slots=True)
class _Asked:
    known: Known
    exchange_id: str
    counted_on: bool = False
    held: HeldCall | None = None


class OpenRequests:
    """By approval id; each goes when the approval has ended or expired."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._unseen: dict[Owner, dict[str, Known]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def add(self, known: Known, exchange_id: str) -> None:
        """A request is on its way."""
        self._asked[known.approval_id] = _Asked(known, exchange_id)
        self._unseen.setdefault(known.owner, {})[known.approval_id] = known

    def confirm(self, approval_id: str) -> None:
        """It was acknowledged: who makes the same call may join it."""
        asked = self._asked.get(approval_id)
        if asked is not None:
            asked.counted_on = True

    def doubt(self, approval_id: str, held: HeldCall | None) -> None:
        """Its acknowledgement did not come: nobody waits for it. `held` is the call to take it back for."""
        asked = self._asked.get(approval_id)
        if asked is not None:
            asked.held = held

    def doubted(self, approval_id: str) -> bool:
        """Whether nobody may join it, now or any more."""
        asked = self._asked.get(approval_id)
        return asked is not None and not asked.counted_on

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

    def get(self, approval_id: str) -> Known | None:
        """What was asked for, as it was asked."""
        asked = self._asked.get(approval_id)
        return None if asked is None else asked.known

    def unseen(self, owner: Owner) -> list[Known]:
        """What the owner has asked for here that was not seen on the topic yet, the oldest first."""
        return list(self._unseen.get(owner, {}).values())

    def sweep(self, now: int) -> None:
        """Forgets what has expired; UTC in microseconds."""
        for asked in [each for each in self._asked.values() if each.known.ends_at <= now]:
            self._see(asked)
            del self._asked[asked.known.approval_id]

    def _see(self, asked: _Asked) -> None:
        unseen = self._unseen.get(asked.known.owner)
        if unseen is not None:
            unseen.pop(asked.known.approval_id, None)
            if not unseen:
                del self._unseen[asked.known.owner]
