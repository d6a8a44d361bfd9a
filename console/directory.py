"""People: by the name under which a provider knows them, and with all names they have."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.settings import PersonEntry

TERMINAL = "terminal:"


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides: by `issuer` ('' at a terminal) and `subject`, a member of `groups`, also known as `aliases`."""

    issuer: str
    subject: str
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`ISSUER|SUBJECT`."""
        return f"{self.issuer}|{self.subject}"


class Directory:
    """Who is who, as configured; upper and lower case are one. To decide by OIDC nobody has to be in it."""

    def __init__(self, entries: Iterable[PersonEntry] = ()) -> None:
        self._entries = tuple(
            PersonEntry(tuple(map(_proper, entry.names)), entry.groups) for entry in entries if entry.names
        )
        self._by_name = {name.casefold(): entry for entry in self._entries for name in entry.names}

    @property
    def same(self) -> list[tuple[str, ...]]:
        """The names of each person."""
        return [entry.names for entry in self._entries]

    def people(self) -> list[Person]:
        """Everybody who is configured."""
        return [_person(entry) for entry in self._entries]

    def person_of(self, provider: str, identifier: str) -> Person | None:
        """Whom `provider` (slack, teams, jira, servicenow, webhook, mail) knows so; None for a stranger."""
        name = f"{provider}:{identifier}"
        if not provider or not identifier or "|" in name:
            return None
        entry = self._by_name.get(name.casefold())
        return _person(entry) if entry else None

    def known(self, person: Person) -> Person:
        """Somebody whom an issuer or this terminal vouches for, with all names the directory has beside. The groups
        stay what was said of them there."""
        entry = self._by_name.get(person.name.casefold())
        names = (*person.aliases, *(entry.names if entry else ()))
        others = tuple(dict.fromkeys(name for name in names if name != person.name))
        return Person(person.issuer, person.subject, person.groups, others)


def _person(entry: PersonEntry) -> Person:
    """By the first name that an issuer gave; who has none decides by the name of the provider."""
    main = next((name for name in entry.names if "|" in name), entry.names[0].replace(":", "|", 1))
    issuer, _, subject = main.partition("|")
    return Person(issuer, subject, entry.groups, tuple(name for name in entry.names if name != main))


def _proper(name: str) -> str:
    return "|" + name.removeprefix(TERMINAL) if name.startswith(TERMINAL) else name
