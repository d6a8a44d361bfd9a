"""What a person may see, and what waits for that person. Pure.

This is for people's eyes: whether a decision counts is said by the approvals processor alone, with the same tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from console.delegations import Given
from console.directory import Person
from console.standing import Standing
from processors.approvals.people import People, roles
from processors.approvals.quorum import fits


@dataclass(frozen=True, slots=True)
class Sight:
    """One person's. `held` are the delegations by which the person may decide now."""

    person: Person
    people: People
    held: tuple[Given, ...] = ()
    auditor: bool = False
    revoker: bool = False

    def sees(self, standing: Standing) -> bool:
        """What one asked for, may review, or sees as an auditor or revoker."""
        if self.auditor or self.revoker or self.asked(standing):
            return True
        return _fits(standing, self.person) or any(_fits(standing, giver) for giver in self._givers())

    def asked(self, standing: Standing) -> bool:
        """Whether this person asked for it, under whatever name."""
        return bool(self._names(self.person) & requester(standing, self.people))

    def reviews(self, standing: Standing) -> bool:
        """Whether this person is one of its reviewers; who asked for it never is."""
        return self._counts(standing, self.person)

    def instead_of(self, standing: Standing) -> Given | None:
        """The delegation by which this person may review it, where that takes one."""
        if self.asked(standing) or self.reviews(standing):
            return None
        return next((given for given in self.held if self._counts(standing, given.giver_as_person)), None)

    def waits(self, standing: Standing) -> bool:
        """Whether it waits for this person: for a decision not given yet, or to be looked at afterwards."""
        if standing.state != "pending" and not standing.review_due:
            return False
        if not self.reviews(standing) and self.instead_of(standing) is None:
            return False
        agreed = standing.settled["approvers"] if standing.settled else []
        own = self._names(self.person)
        return standing.review_due or not any(own & _named(name, self.people) for name in agreed)

    def _counts(self, standing: Standing, person: Person) -> bool:
        return _fits(standing, person) and not self._names(person) & requester(standing, self.people)

    def _givers(self) -> Iterable[Person]:
        return (given.giver_as_person for given in self.held)

    def _names(self, person: Person) -> frozenset[str]:
        return self.people.person(person.issuer, person.subject, person.aliases)


def requester(standing: Standing, people: People) -> frozenset[str]:
    """All names of who asked."""
    request = standing.request
    return people.person(
        request["principal_issuer"], request["principal_subject"], request["principal_aliases"]
    )


def _named(name: str, people: People) -> frozenset[str]:
    issuer, _, subject = name.partition("|")
    return people.person(issuer, subject)


def _fits(standing: Standing, person: Person) -> bool:
    return fits(standing.request["quorum"], roles(person.issuer, person.subject, person.groups))
