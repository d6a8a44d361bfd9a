"""From what a provider vouches for to who looks and decides: the same person as by a bearer token."""

from dataclasses import replace

from console.api.callers import Caller
from console.directory import Directory, Person
from console.settings import ConsoleSettings
from console.web.roles import Role, roles_of
from console.web.settings import RoleGroups


class People:
    """Makes callers of those who log in."""

    def __init__(self, settings: ConsoleSettings, roles: RoleGroups, directory: Directory) -> None:
        self._settings, self._roles, self._directory = settings, roles, directory

    def caller(self, person: Person, email: str, credential: str) -> Caller:
        """`person` without aliases; a mail address keeps somebody from a decision, and gives nobody a right."""
        mail = (f"mail:{email}",) if email else ()
        roles = roles_of(person.groups, self._roles, self._settings.auditor_groups)
        return Caller(
            self._directory.known(replace(person, aliases=mail)),
            self._directory.known(person),
            auditor=Role.AUDITOR in roles,
            revoker=not set(person.groups).isdisjoint(self._settings.revoker_groups),
            credential=credential,
        )
