"""Who looks at a page: a person with roles, within a scope of connections."""

from dataclasses import dataclass

from console.api.callers import Caller
from console.web.roles import Role

__all__ = ["Role", "Viewer"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is logged in. `connections`: the only ones whose traffic this person may see; None for all.

    `csrf` goes into every form. `name` is for people's eyes alone. `zone`: the IANA name of the time zone that the
    browser told, `UTC` before it did. `session` names the login without being its secret.
    """

    caller: Caller
    roles: frozenset[Role]
    connections: tuple[str, ...] | None
    csrf: str
    name: str
    zone: str
    session: str = ""

    def may(self, *roles: Role) -> bool:
        """Whether this person has one of these roles; without any named: any role at all."""
        return bool(self.roles & set(roles) if roles else self.roles)

    def sees(self, connection: str) -> bool:
        """Whether traffic over this connection is in scope."""
        return self.connections is None or connection in self.connections
