"""How a delegation is given and taken back: on the record first, signed, written, and read back."""

from dataclasses import dataclass
from typing import Any

from console.acts import Scribe
from console.deciding import COMPONENT
from console.delegations import Given
from console.directory import Person
from console.errors import DeskError
from console.ledger import Ledger
from console.settings import DeskLimits
from console.sight import Acquaintance
from gateway.edge.announce import stamp
from schemas.admin import Outcome
from schemas.approvals import Delegation, signed_delegation
from schemas.codec import CodecError
from schemas.delegations import DelegationAct, signed_delegated
from schemas.signatures import SigningKey

DELEGATION_MAX = 90 * 86_400 * 1_000_000
ACTIONS = {"given": "delegation.give", "ended": "delegation.end"}


@dataclass(frozen=True, slots=True)
class _Deed:
    """Who gives or takes back which delegation, and why; `delegation` is None for an end."""

    act: DelegationAct
    delegation_id: str
    who: Person
    reason: str
    delegation: Delegation | None
    detail: dict[str, Any]


class Delegator:
    """Gives delegations, and takes them back."""

    def __init__(
        self, ledger: Ledger, scribe: Scribe, key: SigningKey, *, known: Acquaintance, limits: DeskLimits
    ) -> None:
        self._ledger, self._scribe, self._key = ledger, scribe, key
        self._known, self._limits = known, limits

    async def delegate(self, who: Person, to: Person, until_at: int, reason: str) -> Given:
        """`to` may decide instead of `who` until then (UTC in microseconds). Raises DeskError."""
        made = stamp()
        if not made.at < until_at <= made.at + DELEGATION_MAX:
            raise DeskError("refused", "a delegation ends in the future, within 90 days")
        if self._known.of(who) & self._known.of(to):
            raise DeskError("refused", "nobody needs a delegation to themselves")
        own = [each for each in self._ledger.delegations.all() if each.giver == who.name]
        if len(own) >= self._limits.delegations_by_person_max:
            raise DeskError("refused", f"there are {len(own)} delegations of yours; take one back first")
        delegation = self._delegation(who, to, made.at, until_at)
        detail = {"to": to.name, "until_at": until_at, "groups": list(who.groups)}
        await self._carry_out(_Deed("given", made.id, who, reason, delegation, detail))
        return Given(made.id, delegation, reason)

    async def take_back(self, delegation_id: str, who: Person, reason: str) -> None:
        """The delegation ends now; who gave it and who holds it may do that. Raises DeskError."""
        given = self._ledger.delegations.find(delegation_id)
        if given is None or who.name not in (given.giver, given.taker):
            raise DeskError("not_found", f"you have no delegation {delegation_id}")
        detail = {"from": given.giver, "to": given.taker}
        await self._carry_out(_Deed("ended", delegation_id, who, reason, None, detail))

    def _delegation(self, who: Person, to: Person, at: int, until_at: int) -> Delegation:
        fields = {
            "from_issuer": who.issuer,
            "from_subject": who.subject,
            "from_groups": list(who.groups),
            "from_aliases": list(who.aliases),
            "to_issuer": to.issuer,
            "to_subject": to.subject,
            "from_at": at,
            "until_at": until_at,
        }
        try:
            return signed_delegation(fields, self._key)
        except CodecError as error:
            raise DeskError("refused", f"it cannot be written down: {error}") from error

    async def _carry_out(self, deed: _Deed) -> None:
        """Returns once it is recorded, written, and read back here. Raises DeskError."""
        if not self._ledger.ready:
            raise DeskError("unavailable", self._ledger.fault or "delegations have not been read yet")
        if not await self._record(deed, "asked"):
            raise DeskError(
                "unavailable", f"nothing was changed: it could not be recorded: {self._scribe.fault}"
            )
        written = await self._written(deed)
        recorded = await self._record(deed, "done" if written else "failed")
        if not written or not recorded:
            raise DeskError(
                "unavailable", "it is in doubt whether it was written down; look before you repeat it"
            )

    async def _written(self, deed: _Deed) -> bool:
        fields = {
            "delegation_id": deed.delegation_id,
            "at": stamp().at,
            "act": deed.act,
            "by_issuer": deed.who.issuer,
            "by_subject": deed.who.subject,
            "reason": deed.reason,
            "delegation": deed.delegation,
            "component": COMPONENT,
        }
        with self._ledger.awaited(deed.delegation_id, deed.act) as heard:
            if not await self._scribe.delegated(signed_delegated(fields, self._key)):
                return False
            return await heard(self._limits.answer_seconds)

    async def _record(self, deed: _Deed, outcome: Outcome) -> bool:
        return await self._scribe.act(
            deed.who, ACTIONS[deed.act], deed.delegation_id, outcome, reason=deed.reason, detail=deed.detail
        )
