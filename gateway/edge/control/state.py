"""What the records of topic `control` say together: pure, no I/O; the clock is given."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gateway.sessions import Principal
from gateway.settings import Rate
from schemas.control import ControlKind, ControlRecord, ToolPin, lowered_of, open_control, pin_of

Clock = Callable[[], float]
"""Unix seconds."""

_MICROSECONDS = 1_000_000
_SESSION = "|"  # no issuer holds one


@dataclass(frozen=True, slots=True)
class Held:
    """Why something is refused, and until when (Unix seconds)."""

    reason: str
    until: float
    rate: Rate | None = None


Index = dict[tuple[str, str], dict[str, Held]]
"""(issuer, subject) → key of the topic → what holds of them by that record."""


class ControlState:
    """The state by key, and an index for each question."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, ControlRecord] = {}
        self._blocks: Index = {}
        self._demands: Index = {}
        self._limits: Index = {}
        self._kills: dict[str, Held] = {}
        self._revoked: dict[str, Held] = {}
        self._pins: dict[tuple[str, str], ToolPin] = {}
        self._policies: dict[str, str] = {}
        self.pins: Mapping[tuple[str, str], ToolPin] = MappingProxyType(self._pins)
        self.policies: Mapping[str, str] = MappingProxyType(self._policies)

    def apply(self, key: bytes | None, value: bytes | None) -> ControlKind | None:
        """Takes in one record of the topic; its kind, None when a tombstone met nothing.

        Raises CodecError for one that cannot be believed; the state is then as it was.
        """
        if not value:
            return self._take_back((key or b"").decode("utf-8", "replace"))
        record = open_control(key, value)
        self._put(record)
        self._records[record["target"]] = record
        return record["kind"]

    def records(self) -> list[ControlRecord]:
        """What is in force now, the oldest first."""
        now = self._clock()
        return sorted((r for r in self._records.values() if now < _until(r)), key=lambda record: record["at"])

    def expired(self, before: float) -> list[ControlRecord]:
        """Records that ended by themselves before `before` (Unix seconds)."""
        return [record for record in self._records.values() if _until(record) < before]

    def blocked(self, principal: Principal) -> str:
        """Why this principal gets nothing; '' when nobody blocked it."""
        return next((held.reason for held in self._of(self._blocks, principal)), "")

    def demanded(self, session_id: str, principal: Principal) -> str:
        """Why each call of this session, or of this principal, needs an approval; '' when none is demanded."""
        if not self._demands:
            return ""
        found = self._of(self._demands, principal) or self._held(self._demands.get((_SESSION, session_id)))
        return next((held.reason for held in found), "")

    def lowered(self, principal: Principal) -> Rate | None:
        """The lowest rate that this principal is held to now; None when there is none."""
        rates = [held.rate for held in self._of(self._limits, principal) if held.rate is not None]
        return min(rates, key=lambda rate: (rate.per_second, rate.burst)) if rates else None

    def killed(self, session_id: str) -> str:
        """Why this session is over; '' when nobody killed it."""
        return self._in_force(self._kills.get(session_id))

    def revoked(self, token_id: str) -> bool:
        """Whether the token with this id is good for nothing any more."""
        return bool(self._in_force(self._revoked.get(token_id)))

    def _of(self, index: Index, principal: Principal) -> list[Held]:
        """What is in force of this very principal, and of its subject at every issuer."""
        if not index:
            return []
        own = self._held(index.get((principal.issuer, principal.subject)))
        return own + self._held(index.get(("", principal.subject))) if principal.issuer else own

    def _held(self, records: dict[str, Held] | None) -> list[Held]:
        now = self._clock()
        return [held for held in (records or {}).values() if now < held.until]

    def _in_force(self, held: Held | None) -> str:
        return held.reason if held is not None and self._clock() < held.until else ""

    def _put(self, record: ControlRecord) -> None:
        held = Held(record["reason"] or "an operator decided so", _until(record))
        match record["kind"]:
            case "principal_blocked":
                _put_in(self._blocks, record, held)
            case "session_killed":
                self._kills[record["session_id"]] = held
            case "token_revoked":
                self._revoked[record["token_id"]] = held
            case "tool_pinned":
                self._pins[record["connection"], record["tool"]] = pin_of(record)
            case "policy_in_force":
                self._policies[record["connection"]] = record["digest"]
            case "approval_demanded":
                _put_in(self._demands, record, held)
            case "limits_lowered":
                rate = lowered_of(record)
                _put_in(self._limits, record, replace(held, rate=Rate(rate.per_second, rate.burst)))
            case "alerts_silenced":
                pass  # of no concern to a gateway

    def _take_back(self, key: str) -> ControlKind | None:
        record = self._records.pop(key, None)
        if record is None:
            return None
        match record["kind"]:
            case "principal_blocked":
                _take_from(self._blocks, record)
            case "session_killed":
                del self._kills[record["session_id"]]
            case "token_revoked":
                del self._revoked[record["token_id"]]
            case "tool_pinned":
                del self._pins[record["connection"], record["tool"]]
            case "policy_in_force":
                del self._policies[record["connection"]]
            case "approval_demanded":
                _take_from(self._demands, record)
            case "limits_lowered":
                _take_from(self._limits, record)
        return record["kind"]


def _whose(record: ControlRecord) -> tuple[str, str]:
    if record["session_id"]:
        return (_SESSION, record["session_id"])
    return (record["issuer"], record["subject"])


def _put_in(index: Index, record: ControlRecord, held: Held) -> None:
    index.setdefault(_whose(record), {})[record["target"]] = held


def _take_from(index: Index, record: ControlRecord) -> None:
    whose = _whose(record)
    del index[whose][record["target"]]
    if not index[whose]:
        del index[whose]


def _until(record: ControlRecord) -> float:
    expires_at = record["expires_at"]
    return math.inf if expires_at is None else expires_at / _MICROSECONDS
