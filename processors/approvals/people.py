"""Who is who: the names of a person, and the roles in which somebody may review."""

from collections.abc import Iterable, Sequence

Person = frozenset[str]
"""All names of one person, in lower case. Two that share a name are one."""


def identity(issuer: str, subject: str) -> str:
    """`ISSUER|SUBJECT`."""
    return f"{issuer}|{subject}"


def roles(issuer: str, subject: str, groups: Iterable[str]) -> frozenset[str]:
    """What of `reviewers` somebody is: the groups and the person. A group with a `|` could pass for a person."""
    return frozenset({identity(issuer, subject), *(group for group in groups if group and "|" not in group)})


class People:
    """Names that belong together, as configured: each entry lists the names of one person."""

    def __init__(self, same: Iterable[Sequence[str]] = ()) -> None:
        self._same = [frozenset(name.casefold() for name in names) for names in same]

    def person(self, issuer: str, subject: str, aliases: Iterable[str] = ()) -> Person:
        """The person with this identity and these other names (`mail:ADDRESS`), and all names those have."""
        names = frozenset(name.casefold() for name in (identity(issuer, subject), *aliases) if name)
        while True:
            wider = names.union(*(same for same in self._same if same & names))
            if wider == names:
                return names
            names = wider
