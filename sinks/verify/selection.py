"""Which rows an export is about."""

import re
from dataclasses import dataclass
from uuid import UUID

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SelectionError(ValueError):
    """What was asked for cannot be selected. The message says why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a session, of a connection, recorded from `since` until `until` (UTC, microseconds; -1: open)."""

    session: str = ""
    connection: str = ""
    since: int = -1
    until: int = -1

    def __post_init__(self) -> None:
        """Raises SelectionError."""
        try:
            _ = self.session and UUID(self.session)
        except ValueError:
            raise SelectionError(f"{self.session!r} is no id of a session") from None
        if self.connection and not _NAME.fullmatch(self.connection):
            raise SelectionError(f"{self.connection!r} is no name of a connection")

    @property
    def is_range(self) -> bool:
        """Whether it is about all rows of a time: then none may lack between the first and the last."""
        return not self.session and not self.connection

    def condition(self) -> str:
        """As SQL over `frames_stored`; begins with AND, or is ''."""
        parts = []
        if self.session:
            parts.append(f"session_id = '{UUID(self.session)}'")
        if self.connection:
            parts.append(f"connection = '{self.connection}'")
        if self.since >= 0:
            parts.append(f"recorded_at >= fromUnixTimestamp64Micro({int(self.since)}, 'UTC')")
        if self.until >= 0:
            parts.append(f"recorded_at < fromUnixTimestamp64Micro({int(self.until)}, 'UTC')")
        return "".join(f" AND {part}" for part in parts)


ALL = Selection()
