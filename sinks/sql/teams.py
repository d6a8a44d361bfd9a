"""A team of the console as a ClickHouse server knows it. Apart from the statements: settings name it."""

from dataclasses import dataclass

TEAM = "sluicegate_team_"


@dataclass(frozen=True, slots=True)
class TeamScope:
    """A team, and the connections whose rows it may read."""

    name: str
    connections: tuple[str, ...]

    @property
    def role(self) -> str:
        """Its role on the server."""
        return f"{TEAM}{self.name}"
