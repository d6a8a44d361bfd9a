"""What the processor knows of one approval, and its row in the table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from schemas.approvals import ApprovalState

Row = dict[str, Any]

UNKEPT = ("arguments", "key_id", "signature")
"""Fields of a request that nobody asks the entry for; its digest is kept."""


class Voice(NamedTuple):
    """Somebody who approved: all names of the person (and of who delegated), and the roles that count."""

    name: str
    person: tuple[str, ...]
    roles: tuple[str, ...]


class Parked(NamedTuple):
    """A decision that came before its request: without its signature, where it stood, and the clock there."""

    decision: Mapping[str, Any]
    place: str
    clock: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One approval; times are UTC in microseconds.

    `request` is None while only decisions have come. `applied` is the last offset of `approvals.decided` in it,
    `seen` the decisions that were answered, `uses` the exchanges that were let run, `latest` when each person was
    heard last. `parked_since`: the first tick that saw them parked. `ends_at`: of the
    request while it is pending, then of the grant.
    """

    approval_id: str
    partition: int
    request: Mapping[str, Any] | None = None
    request_place: str = ""
    request_digest: str = ""
    state: ApprovalState = "pending"
    version: int = 0
    applied: int = -1
    ends_at: int = 0
    uses_left: int = 0
    voices: tuple[Voice, ...] = ()
    seen: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    latest: Mapping[str, int] = field(default_factory=dict)
    parked: tuple[Parked, ...] = ()
    parked_since: int = 0
    review_due_at: int | None = None
    review_missed: bool = False
    reviewed_by: str = ""

    def row(self) -> Row:
        """What the table keeps, as JSON has it."""
        return asdict(self)

    @classmethod
    def restored(cls, row: Row) -> "Entry":
        """From its row."""
        return cls(
            **{
                **row,
                "voices": tuple(
                    Voice(name, tuple(person), tuple(roles)) for name, person, roles in row["voices"]
                ),
                "seen": tuple(row["seen"]),
                "uses": tuple(row["uses"]),
                "parked": tuple(Parked(*parked) for parked in row["parked"]),
            }
        )
