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
        row = self.find(name) or Row()
        self._rows.pop(name, None)  # to the end: the order is that of use
        self._rows[name] = row
        return row

    def written(self) -> dict[str, bytes]:
        """The bytes of the rows that were touched since the last time, by name."""
        changed = {name: row_bytes(self._rows[name]) for name in sorted(self._touched)}
        self._touched.clear()
        return changed

    def shrink(self, rows_max: int) -> None:
        """Keep at most so many rows in memory, of those that are written: the ones used last."""
        for name in list(self._rows)[: max(0, len(self._rows) - rows_max)]:
            if name not in self._touched:
                del self._rows[name]

    def drop(self, name: str) -> None:
        """Forget a row; who keeps its bytes forgets them, too."""
        self._rows.pop(name, None)
        self._touched.discard(name)

    def sweep(self, now: int) -> None:
        """Drop the rows in memory that are of no use any more at `now` (UTC, microseconds)."""
        for name in [name for name, row in self._rows.items() if row.outlived(now)]:
            self.drop(name)

    def __len__(self) -> int:
        return len(self._rows)
