"""What an integration needs of the desk, as types: `console.desk.Desk` is one."""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from console.desk import Verb
from console.directory import Person
from console.standing import Standing
from schemas.approvals import ApprovalSettled


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

    def standings(self, *, states: Collection[str] | None = None) -> list[Standing]:
        """All that are in one of `states`; None: all."""
        ...

    def standing(self, approval_id: str) -> Standing | None:
        """One; None when there is none."""
        ...

    def subscribe(self) -> AsyncIterator[Standing]:
        """Every change from now on."""
        ...

    async def decide(
        self, approval_id: str, verb: Verb, who: Person, comment: str = "", *, component: str = ""
    ) -> ApprovalSettled:
        """The answer of the processor, which counts it. `component`: through what it came. Raises DeskError."""
        ...
