"""How a person's word on retention gets onto the record: as an act first, signed, written, and read back.

Used by the console, and by the command line for the user at its terminal. What counts is decided by the book alone:
whoever reads the topic comes to the same.
"""

from collections.abc import Mapping
from typing import Any

from aiokafka.errors import KafkaError

from console.directory import Person
from console.errors import DeskError
from console.settings import KeepingSettings
from gateway.edge.announce import ADMIN, Announcer, stamp
from schemas.admin import Actor, ActorKind, Outcome, admin_record
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress
from schemas.retention import RETENTION, RetentionAct, RetentionKind, RetentionVerb, act_value, signed_act
from schemas.retention_book import Book, Proposal
from schemas.retention_content import content_of
from schemas.retention_topic import read_book
from schemas.signatures import SigningKey

ACTIONS: Mapping[RetentionKind, str] = {
    "rules": "retention",
    "hold": "hold",
    "release": "release",
    "erasure": "erasure",
}
VERBS: Mapping[str, str] = {"proposed": "propose", "confirmed": "confirm", "withdrawn": "withdraw"}
REASON_CHARACTERS_MAX = 2_000
DEADLINE_SECONDS = 10.0


class _Teller(Announcer):
    """Writes acts of both kinds."""

    async def said(self, record: RetentionAct) -> bool:
        """Somebody said something about retention."""
        return await self._tell(RETENTION, record["proposal_id"], act_value(record))


class Keeping:
    """Takes the words of people for one component, `cli` or `console`. Every call raises DeskError."""

    def __init__(self, kafka: KafkaAddress, settings: KeepingSettings, component: ActorKind) -> None:
        self._kafka, self._settings, self._component = kafka, settings, component
        self._key = SigningKey(settings.signing_seed)

    async def book(self) -> Book:
        """What holds now."""
        settings = self._settings
        try:
            return await read_book(
                self._kafka, settings.trusted, settings.people, alone=settings.single_person
            )
        except (KafkaError, TimeoutError, OSError) as error:
            raise DeskError("unavailable", f"what holds cannot be read: {type(error).__name__}") from error

    async def propose(self, who: Person, kind: RetentionKind, content: str, reason: str) -> Proposal:
        """The proposal, on the record. A hold keeps from now on, and lapses when nobody confirms it."""
        made = stamp()
        return await self._say(self._act("proposed", made.id, kind, content, who, reason=reason), who)

    async def confirm(self, who: Person, proposal_id: str, reason: str, *, alone: bool = False) -> Proposal:
        """The proposal in force. `alone`: there is nobody else, and the settings allow that."""
        known = await self.find(proposal_id)
        kind, content = known.act["kind"], known.act["content"]
        act = self._act("confirmed", proposal_id, kind, content, who, reason=reason, alone=alone)
        return await self._say(act, who)

    async def withdraw(self, who: Person, proposal_id: str, reason: str) -> Proposal:
        """The proposal, taken back by who made it."""
        known = await self.find(proposal_id)
        kind, content = known.act["kind"], known.act["content"]
        return await self._say(self._act("withdrawn", proposal_id, kind, content, who, reason=reason), who)

    async def find(self, proposal_id: str) -> Proposal:
        """The proposal as it stands."""
        known = (await self.book()).find(proposal_id, stamp().at)
        if known is None:
            raise DeskError("not_found", f"there is no proposal {proposal_id}")
        return known

    def _act(
        self,
        verb: RetentionVerb,
        proposal_id: str,
        kind: RetentionKind,
        content: str,
        who: Person,
        *,
        reason: str,
        alone: bool = False,
    ) -> RetentionAct:
        if len(reason) > REASON_CHARACTERS_MAX:
            raise DeskError("refused", f"the reason has more than {REASON_CHARACTERS_MAX} characters")
        made = stamp()
        fields = {
            "act_id": made.id,
            "proposal_id": proposal_id,
            "at": made.at,
            "act": verb,
            "kind": kind,
            "content": content,
            "who_issuer": who.issuer,
            "who_subject": who.subject,
            "who_aliases": list(who.aliases),
            "alone": alone,
            "reason": reason,
            "component": self._component,
        }
        try:
            content_of(kind, content)
            return signed_act(fields, self._key)
        except CodecError as error:
            raise DeskError("refused", f"it cannot be written down: {error}") from error

    async def _say(self, act: RetentionAct, who: Person) -> Proposal:
        """Returns once it is recorded, written, and counts."""
        teller = _Teller(self._kafka, deadline_seconds=DEADLINE_SECONDS, topics=(ADMIN, RETENTION))
        teller.start()
        try:
            if not await self._record(teller, act, who, "asked"):
                raise DeskError(
                    "unavailable", f"nothing was changed: it could not be recorded: {teller.fault}"
                )
            refusal = (await self.book()).apply(act)  # as everybody will; this book is ours alone
            written = not refusal and await teller.said(act)
            outcome: Outcome = "refused" if refusal else "done" if written else "failed"
            recorded = await self._record(teller, act, who, outcome)
        finally:
            await teller.stop()
        if refusal:
            raise DeskError("refused", refusal)
        if not written or not recorded:
            raise DeskError(
                "unavailable", "it is in doubt whether it was written down; look before you repeat it"
            )
        return await self._as_read_back(act)

    async def _as_read_back(self, act: RetentionAct) -> Proposal:
        known = await self.find(act["proposal_id"])
        counts = {"proposed": "pending", "confirmed": "confirmed", "withdrawn": "withdrawn"}
        if known.state != counts[act["act"]]:
            raise DeskError("refused", f"somebody was faster: the proposal is {known.state}")
        return known

    async def _record(self, teller: Announcer, act: RetentionAct, who: Person, outcome: Outcome) -> bool:
        action = f"{ACTIONS[act['kind']]}.{VERBS[act['act']]}"
        detail: dict[str, Any] = {"content": act["content"], "alone": act["alone"]}
        actor = Actor(self._component, who.subject, who.issuer)
        record = admin_record(
            stamp(), actor, action, act["proposal_id"], outcome, reason=act["reason"], detail=detail
        )
        return await teller.admin(record)
