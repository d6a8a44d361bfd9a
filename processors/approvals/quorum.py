"""Whether enough different people of the right kinds agree."""

from collections.abc import Sequence

from schemas.approvals import QuorumPart

Roles = frozenset[str]


def fits(parts: Sequence[QuorumPart], roles: Roles) -> bool:
    """Whether somebody with these roles is a reviewer at all."""
    return any(roles.intersection(part["reviewers"]) for part in parts)


def met(parts: Sequence[QuorumPart], voices: Sequence[Roles]) -> bool:
    """Whether every seat of every part is taken by another of the `voices`, which are of different people.

    Somebody who fits two parts sits in one: the seats are matched (augmenting paths, Kuhn 1955).
    """
    seats = [part for part in parts for _ in range(part["people"])]
    taken: dict[int, int] = {}
    return bool(seats) and all(_seated(seats, voices, seat, taken, set()) for seat in range(len(seats)))


def _seated(
    seats: Sequence[QuorumPart], voices: Sequence[Roles], seat: int, taken: dict[int, int], tried: set[int]
) -> bool:
    """Give `seat` to a voice; who had it before moves to another seat that fits."""
    for number, roles in enumerate(voices):
        if number in tried or not roles.intersection(seats[seat]["reviewers"]):
            continue
        tried.add(number)
        if number not in taken or _seated(seats, voices, taken[number], taken, tried):
            taken[number] = seat
            return True
    return False
