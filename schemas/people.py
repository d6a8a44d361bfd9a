"""Names of people and of groups, as settings and policies write them.

A person has one name for each place that knows them: `ISSUER|SUBJECT` where tokens do, `terminal:USER@HOST` at a
terminal (the records say `|USER@HOST`, an issuer of nobody), `slack:TEAM/USER`, `mail:ADDRESS` and so on elsewhere.
"""

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
