"""Saved searches: an address under a name, each person's own. They are acts on the record (`search.save`,
`search.forget`), so every console has them, they outlive it, and nobody else can make them: no store of their own.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from console.directory import Person
from sinks.readers import AdminAct, AdminFilter, Reader

SAVE, FORGET = "search.save", "search.forget"
ACTS_MAX = 500
KEPT_MAX = 50
NAME_CHARACTERS_MAX = 80
QUERY_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved search. `query`: its address after the question mark."""

    name: str
    query: str


async def acts_of(reader: Reader, person: Person) -> list[AdminAct]:
    """What somebody of this name did with saved searches; whether it was this person is for `standing` to tell."""
    acts: list[AdminAct] = []
    for action in (SAVE, FORGET):
        acts += await reader.admin(AdminFilter(actor=person.subject, action=action), ACTS_MAX)
    return acts


def standing(acts: Iterable[AdminAct], person: Person) -> list[Kept]:
    """What holds after these acts: the last one on a name counts. Pure."""
    found: dict[str, Kept | None] = {}
    for act in sorted(acts, key=lambda each: (each["at"], each["admin_id"])):
        theirs = (act["actor"], act["actor_issuer"], act["actor_kind"])
        if theirs == (person.subject, person.issuer, "console") and act["outcome"] == "done":
            query = _query(act["detail"]) if act["action"] == SAVE else None
            found[act["target"]] = None if query is None else Kept(act["target"], query)
    return sorted((each for each in found.values() if each), key=lambda each: each.name.casefold())[:KEPT_MAX]


def _query(detail: str) -> str | None:
    try:
        query = json.loads(detail).get("query", "")
    except (ValueError, AttributeError):
        return None
    return query if isinstance(query, str) and len(query) <= QUERY_CHARACTERS_MAX else None
