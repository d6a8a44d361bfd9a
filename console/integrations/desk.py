"""What an integration needs of the console's desk, as types: see `console.desk` for what does it."""

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from console.directory import Person
from console.standing import Standing
from schemas.approvals import ApprovalSettled, DecisionVerb


class DeskError(Exception):
    """Until console.desk has it."""

    def __init__(self, kind: str, text: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class DirectoryLike(Protocol):
    """Who is who."""

    def person_of(self, provider: str, identifier: str) -> Person | None:
        """The person whom `provider` knows as `identifier`; None for a stranger."""
        ...


class DeskLike(Protocol):
    """Approvals as they stand, and decisions on them."""

    @property
    def people(self) -> DirectoryLike:
        """Who may be spoken for."""
        ...

    @property
    def ready(self) -> bool:
        """Whether all that is on the topics has been read."""
        ...

    def standings(self, *, states: Iterable[str] | None = None) -> list[Standing]:
        """All that are in one of `states`; None: all."""
        ...

    def standing(self, approval_id: str) -> Standing | None:
        """One; None when there is none."""
        ...

    def subscribe(self) -> AsyncIterator[Standing]:
        """Every change from now on."""
        ...

    async def decide(
        self, approval_id: str, verb: DecisionVerb, who: Person, comment: str
    ) -> ApprovalSettled:
        """Signed, written, answered by the processor. Raises DeskError."""
        ...
