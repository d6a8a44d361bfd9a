"""Who is who, as for everybody, and the roles in which somebody may review."""

from collections.abc import Iterable

from schemas.people import People, Person, identity

__all__ = ["People", "Person", "identity", "roles"]


def roles(issuer: str, subject: str, groups: Iterable[str]) -> frozenset[str]:
    """What of `reviewers` somebody is: the groups and the person. A group with a `|` could pass for a person."""
    return frozenset({identity(issuer, subject), *(group for group in groups if group and "|" not in group)})
