"""Names of people and of groups, as settings and policies write them.

A person has one name for each place that knows them: `ISSUER|SUBJECT` where tokens do, `terminal:USER@HOST` at a
terminal (the records say `|USER@HOST`, an issuer of nobody), `slack:TEAM/USER`, `mail:ADDRESS` and so on elsewhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

TERMINAL: Final = "terminal"
"""The provider of names at a terminal; in records their issuer is empty."""

PROVIDERS: Final = ("jira", "mail", "servicenow", "slack", "teams", "webhook")
"""Places whose names of people are no identities of tokens or terminals."""


def identity(issuer: str, subject: str) -> str:
    """`ISSUER|SUBJECT`."""
    return f"{issuer}|{subject}"


def canonical(name: str) -> str:
    """The name as records have it: `terminal:ann@laptop` is `|ann@laptop`, every other as it is."""
    provider, colon, rest = name.partition(":")
    return identity("", rest) if colon and rest and provider == TERMINAL else name


def is_person(name: str) -> bool:
    """Whether a canonical name is one person's, and not a group's."""
    return "|" in name


ANONYMOUS: Final = identity("", "anonymous")
"""Every caller of a gateway that asks nobody who they are."""

Person = frozenset[str]
"""All names of one person, in lower case. Two that share a name are one."""


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
