"""Who may decide instead of whom: the delegations that are in force. Pure; the clock is given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.directory import Person
from processors.approvals.people import identity
from schemas.approvals import DELEGATION_SCHEMA, Delegation
from schemas.codec import CodecError
from schemas.delegations import DELEGATED_SCHEMA, ApprovalDelegated, open_delegated
from schemas.signatures import KeyRing

VERB = "delegate"

Micros = Callable[[], int]
"""UTC in microseconds."""


@dataclass(frozen=True, slots=True)
class Given:
    """A delegation and its id. `delegation` is what goes onto decisions."""

    delegation_id: str
    delegation: Delegation
    reason: str

    @property
    def giver(self) -> str:
        """`ISSUER|SUBJECT` of who lets somebody decide instead."""
        return identity(self.delegation["from_issuer"], self.delegation["from_subject"])

    @property
    def taker(self) -> str:
        """`ISSUER|SUBJECT` of who may."""
        return identity(self.delegation["to_issuer"], self.delegation["to_subject"])

    @property
    def giver_as_person(self) -> Person:
        """The giver, with the groups and names of the day it was given."""
        given = self.delegation
        groups, aliases = tuple(given["from_groups"]), tuple(given["from_aliases"])
        return Person(given["from_issuer"], given["from_subject"], groups, aliases)


class Delegations:
    """All that are in force. What was taken back stays so, whatever comes after it on the topic."""

    def __init__(self, now: Micros) -> None:
        self._now = now
        self._given: dict[str, Given] = {}
        self._ended: set[str] = set()

    def apply(self, record: ApprovalDelegated) -> None:
        """Takes in one believed record."""
        delegation_id, given = record["delegation_id"], record["delegation"]
        if given is None:
            self._ended.add(delegation_id)
            self._given.pop(delegation_id, None)
        elif delegation_id not in self._ended:
            self._given.setdefault(delegation_id, Given(delegation_id, given, record["reason"]))

    def find(self, delegation_id: str) -> Given | None:
        """The delegation, while it has not ended."""
        found = self._given.get(delegation_id)
        return found if found and self._now() < found.delegation["until_at"] else None

    def all(self) -> list[Given]:
        """Every one that has not ended; those of later days too. The one that ends first comes first."""
        now = self._now()
        for delegation_id in [key for key, each in self._given.items() if each.delegation["until_at"] <= now]:
            del self._given[delegation_id]  # its id may be forgotten: the machine refuses it by its own date
        return sorted(self._given.values(), key=lambda each: each.delegation["until_at"])

    def held_by(self, person: Person) -> Iterator[Given]:
        """Those by which `person` may decide now."""
        now = self._now()
        return (
            each for each in self.all() if each.taker == person.name and each.delegation["from_at"] <= now
        )


def believed_delegation(ring: KeyRing, key: bytes | None, value: bytes) -> ApprovalDelegated | None:
    """The record, when both its signatures are by one who may delegate in these names."""
    try:
        record = open_delegated(key, value)
    except CodecError:
        return None
    if ring.fault(DELEGATED_SCHEMA, record, VERB, record["by_issuer"]):
        return None
    given = record["delegation"]
    if given and ring.fault(DELEGATION_SCHEMA, given, VERB, given["from_issuer"]):
        return None
    return record
