"""The rows of one partition: taken from where they are kept, changed in memory, given back as bytes. Pure."""

from collections.abc import Callable

from processors.anomaly.row import Row, row_bytes, row_of

Load = Callable[[str], bytes | None]
"""The bytes of a row by its name; None: there is none."""


def nothing(_: str) -> bytes | None:
    """No row was ever kept."""
    return None


class State:
    """Rows by name. `late` counts, over all rows, the calls that were too old for their windows."""

    def __init__(self, load: Load = nothing) -> None:
        self._load = load
        self._rows: dict[str, Row] = {}
        self._touched: set[str] = set()
        self.late = 0

    def find(self, name: str) -> Row | None:
        """The row, if it is kept; it is not written back for that."""
        row = self._rows.get(name)
        if row is None and (data := self._load(name)) is not None:
            row = self._rows[name] = row_of(data)
        return row

    def row(self, name: str) -> Row:
        """The row, a new one if there is none; it will be written back."""
        self._touched.add(name)
        row = self.find(name)
        if row is None:
            row = self._rows[name] = Row()
        return row

    def forget(self, name: str) -> None:
        """Drop a row from memory; who keeps its bytes drops them too."""
        self._rows.pop(name, None)
        self._touched.discard(name)

    def written(self) -> dict[str, bytes]:
        """The bytes of the rows that were touched since the last time, by name."""
        changed = {name: row_bytes(self._rows[name]) for name in sorted(self._touched)}
        self._touched.clear()
        return changed

    def heads(self) -> dict[str, int]:
        """By row in memory, when it was last seen (UTC, microseconds)."""
        return {name: row.head for name, row in self._rows.items()}

    def __len__(self) -> int:
        return len(self._rows)
