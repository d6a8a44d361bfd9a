"""What a person says of findings, taken to the record: that it is tried, the act itself, that it holds.

Each of the three is acknowledged by Kafka before the next is sent, as with `sluicegate findings` on a terminal; an
act without its record does not exist.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from console.acts import Scribe
from console.directory import Person
from console.errors import DeskError
from gateway.edge.announce import stamp
from schemas.admin import Outcome
from schemas.control import ControlRecord, alerts_silenced, silenced_rule
from schemas.findings import ACT_ACTIONS, FindingAct, FindingVerdict, acted, raised_again
from sinks.readers import Finding

SILENCE_SECONDS_MAX = 90 * 86_400
SECOND = 1_000_000


class Minder:
    """One a console. Raises DeskError: refused for what cannot be meant, unavailable where Kafka did not take it."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe

    async def act(
        self, who: Person, found: Finding, act: FindingAct, comment: str = "", verdict: FindingVerdict = ""
    ) -> None:
        """`who` acknowledges, closes or reopens `found`; a close has a verdict. Returns once it is on the record."""
        if act == "reopened" and found["state"] == "open":
            raise DeskError("refused", "it is open already")
        try:
            said = acted(
                raised_again(found),
                act,
                at=stamp().at,
                by=f"console:{who.name}",
                comment=comment,
                verdict=verdict,
            )
        except ValueError as error:
            raise DeskError("refused", str(error)) from error
        detail = {"rule": found["rule"], **({"verdict": verdict} if verdict else {})}
        deed = _Deed(self._scribe, who, ACT_ACTIONS[act], found["finding_id"], reason=comment, detail=detail)
        await deed.begin()
        await deed.end(await self._scribe.finding(said))

    async def silence(
        self, who: Person, rule: str, about: tuple[str, str], *, seconds: int, reason: str
    ) -> None:
        """Nobody is told of findings of `rule` ('': any) about (issuer, subject) for so long; they are raised and
        stored all the same."""
        if not 0 < seconds <= SILENCE_SECONDS_MAX:
            raise DeskError("refused", f"a silence is for {SILENCE_SECONDS_MAX // 86_400} days at most")
        if not reason.strip():
            raise DeskError("refused", "say why nobody should be told")
        made = stamp()
        ends = made.at + seconds * SECOND
        try:
            record = alerts_silenced(
                made, rule, *about, by=f"console:{who.name}", reason=reason, expires_at=ends
            )
        except ValueError as error:
            raise DeskError("refused", str(error)) from error
        deed = _Deed(
            self._scribe,
            who,
            "finding.silence",
            silenced(record),
            reason=reason,
            detail={"for_seconds": seconds},
        )
        await deed.begin()
        await deed.end(await self._scribe.control(record["target"], record))

    async def unsilence(self, who: Person, record: ControlRecord, reason: str = "") -> None:
        """Whoever wants it is told again."""
        deed = _Deed(self._scribe, who, "finding.unsilence", silenced(record), reason=reason, detail={})
        await deed.begin()
        await deed.end(await self._scribe.control(record["target"], None))


class _Told(TypedDict):
    reason: str
    detail: Mapping[str, Any]


class _Deed:
    """What is tried, and its records."""

    def __init__(self, scribe: Scribe, who: Person, action: str, target: str, **told: Unpack[_Told]) -> None:
        self._scribe, self._who, self._action, self._target, self._told_of = scribe, who, action, target, told

    async def begin(self) -> None:
        if not await self._told("asked"):
            raise DeskError(
                "unavailable", f"nothing was changed: it could not be recorded: {self._scribe.fault}"
            )

    async def end(self, written: bool) -> None:
        recorded = await self._told("done" if written else "failed")
        if not written:
            raise DeskError(
                "unavailable", "it is in doubt whether it was written down; look before you repeat it"
            )
        if not recorded:
            raise DeskError(
                "unavailable", f"it is in force, but the trail does not say so yet: {self._scribe.fault}"
            )

    async def _told(self, outcome: Outcome) -> bool:
        return await self._scribe.act(self._who, self._action, self._target, outcome, **self._told_of)


def silenced(record: ControlRecord) -> str:
    """Of what nobody is told, in words."""
    what = silenced_rule(record) or "any rule"
    return f"{what} about {record['issuer']}|{record['subject']}" if record["subject"] else what
