"""From a person's groups to roles and to the connections that the person may see. Pure."""

from collections.abc import Collection
from enum import StrEnum

from console.web.settings import EVERYBODY, RoleGroups, Team


class Role(StrEnum):
    """What somebody may do here. Auditors and admins see every connection; only an approval's own rules say who
    may decide on it, whatever the role."""

    VIEWER = "viewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"


EVERY_ROLE = frozenset(Role)
_INCLUDED = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.APPROVER: frozenset({Role.APPROVER}),
    Role.AUDITOR: frozenset({Role.AUDITOR, Role.VIEWER}),
    Role.ADMIN: EVERY_ROLE,
}


def roles_of(
    groups: Collection[str], settings: RoleGroups, auditors: Collection[str] = ()
) -> frozenset[Role]:
    """The roles of a member of `groups`, with those that they include. `auditors` are further groups of auditors."""
    named = {
        Role.VIEWER: settings.viewer,
        Role.APPROVER: settings.approver,
        Role.AUDITOR: (*settings.auditor, *auditors),
        Role.ADMIN: settings.admin,
    }
    held = [
        role for role, needed in named.items() if EVERYBODY in needed or not set(needed).isdisjoint(groups)
    ]
    return frozenset().union(*(_INCLUDED[role] for role in held))


def scope_of(
    groups: Collection[str], roles: Collection[Role], teams: Collection[Team]
) -> tuple[str, ...] | None:
    """The connections that somebody may see: None for all, () for none."""
    if not teams or Role.AUDITOR in roles or Role.ADMIN in roles:
        return None
    mine = [team.connections for team in teams if not set(team.groups).isdisjoint(groups)]
    return tuple(sorted({name for connections in mine for name in connections}))
