"""What a person may see, and what waits for that person. Pure.

This is for people's eyes: whether a decision counts is said by the approvals processor alone, with the same tests.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from console.delegations import Given
from console.directory import Person
from console.standing import Standing
from processors.approvals.people import People, roles
from processors.approvals.quorum import fits

KEPT_MAX = 10_000

Names = frozenset[str]
"""All names of one person, as `processors.approvals.people` has them."""


class Acquaintance:
    """The names of everybody who was asked about lately: lists ask for the same few people over and over."""

    def __init__(self, same: Iterable[Sequence[str]]) -> None:
        self.names = lru_cache(KEPT_MAX)(People(same).person)
        """(issuer, subject, aliases as a tuple) → names."""

    def of(self, person: Person) -> Names:
        """The names of `person`."""
        return self.names(person.issuer, person.subject, person.aliases)

    def named(self, name: str) -> Names:
        """The names of who is `ISSUER|SUBJECT`."""
        issuer, _, subject = name.partition("|")
        return self.names(issuer, subject)

    def asker(self, standing: Standing) -> Names:
        """The names of who asked, without what only a token said."""
        return self.names(standing.request["principal_issuer"], standing.request["principal_subject"])

    def requester(self, standing: Standing) -> Names:
        """All names of who asked."""
        request = standing.request
        aliases = tuple(request["principal_aliases"])
        return self.names(request["principal_issuer"], request["principal_subject"], aliases)


@dataclass(frozen=True, slots=True)
class _Seat:
    """A place among reviewers: one's own, or that of who delegated (`given`)."""

    names: Names
    roles: Names
    given: Given | None = None

    def fits(self, standing: Standing) -> bool:
        return fits(standing.request["quorum"], self.roles)


class Sight:
    """One person's. `held` are the delegations by which the person may decide now; auditors and revokers see all.

    `proven` is the person without names that nobody vouches for: what one asked for oneself is shown by those alone.
    """

    def __init__(
        self,
        person: Person,
        known: Acquaintance,
        held: Sequence[Given] = (),
        *,
        proven: Person | None = None,
        auditor: bool = False,
        revoker: bool = False,
    ) -> None:
        self.held = tuple(held)
        self._known = known
        self._all = auditor or revoker
        self._own = _seat(person, known)
        self._proven = known.of(proven or person)
        self._lent = [_seat(given.giver_as_person, known, given) for given in self.held]

    def sees(self, standing: Standing) -> bool:
        """What one asked for, may review, or sees as an auditor or revoker."""
        if self._all or self._own.fits(standing) or any(seat.fits(standing) for seat in self._lent):
            return True
        return not self._proven.isdisjoint(self._known.asker(standing))

    def asked(self, standing: Standing) -> bool:
        """Whether this person asked for it, under whatever name."""
        return not self._own.names.isdisjoint(self._known.requester(standing))

    def reviews(self, standing: Standing) -> bool:
        """Whether this person is one of its reviewers; who asked for it never is."""
        return self._counts(standing, self._own)

    def instead_of(self, standing: Standing) -> Given | None:
        """The delegation by which this person may review it, where that takes one."""
        if self.asked(standing) or self.reviews(standing):
            return None
        return next((seat.given for seat in self._lent if self._counts(standing, seat)), None)

    def waits(self, standing: Standing) -> bool:
        """Whether it waits for this person: for a decision not given yet, or to be looked at afterwards."""
        if standing.state != "pending" and not standing.review_due:
            return False
        if not self.reviews(standing) and self.instead_of(standing) is None:
            return False
        agreed = standing.settled["approvers"] if standing.settled else []
        return standing.review_due or all(
            self._own.names.isdisjoint(self._known.named(name)) for name in agreed
        )

    def _counts(self, standing: Standing, seat: _Seat) -> bool:
        return seat.fits(standing) and seat.names.isdisjoint(self._known.requester(standing))


def _seat(person: Person, known: Acquaintance, given: Given | None = None) -> _Seat:
    return _Seat(known.of(person), roles(person.issuer, person.subject, person.groups), given)
