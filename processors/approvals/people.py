"""Who is who: the names of a person, and the roles in which somebody may review."""

from collections.abc import Iterable, Iterator, Sequence

from schemas.people import PROVIDERS, canonical, identity

__all__ = ["People", "Person", "identity", "roles"]

Person = frozenset[str]
"""All names of one person, in lower case. Two that share a name are one."""


def roles(issuer: str, subject: str, groups: Iterable[str]) -> frozenset[str]:
    """What of `reviewers` somebody is: the groups and the person. A group with a `|` could pass for a person."""
    return frozenset({identity(issuer, subject), *(group for group in groups if group and "|" not in group)})


class People:
    """Names that belong together, as configured: each entry lists the names of one person."""

    def __init__(self, same: Iterable[Sequence[str]] = ()) -> None:
        self._same = [frozenset(_folded(names)) for names in same]

    def person(self, issuer: str, subject: str, aliases: Iterable[str] = ()) -> Person:
        """The person with this identity and these other names (`mail:ADDRESS`), and all names those have."""
        names = frozenset(_folded([identity(issuer, subject), *aliases]))
        while True:
            wider = names.union(*(same for same in self._same if same & names))
            if wider == names:
                return names
            names = wider


def _folded(names: Iterable[str]) -> Iterator[str]:
    """As they are compared: in lower case, and `slack:T1/U1` as the records of a decision have it, `slack|T1/U1`."""
    for name in names:
        provider, _, rest = canonical(name).partition(":")
        known = provider in PROVIDERS and rest
        if name:
            yield (identity(provider, rest) if known else canonical(name)).casefold()
