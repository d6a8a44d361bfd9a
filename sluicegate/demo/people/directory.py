"""Who there is."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in; `subject` is their name everywhere."""

    subject: str
    name: str
    groups: tuple[str, ...]

    @property
    def email(self) -> str:
        """Where they would get mail."""
        return f"{self.subject}@shop.example"

    @property
    def label(self) -> str:
        """What stands on their button."""
        return f"{self.subject} ({', '.join(self.groups)})"


PEOPLE: Final = {
    person.subject: person
    for person in (
        Person("alice", "Alice Arden", ("sre",)),
        Person("bob", "Bob Byrne", ("developers",)),
    )
}
