"""What is kept of one key, and its bytes. All of it is bounded.

`Row` is one key: when it was first and last seen, what was applied, and a `Slot` for each rule that keeps by it.
Times are UTC in microseconds, buckets and windows are counted from the epoch in their own lengths.
"""

import msgspec

Cell = int | bytes
"""What fell into one bucket: a sum, or a sketch."""


class Lasting(msgspec.Struct, array_like=True):
    """A finding that lasts: its name, when it was raised and last true, how often it was, and what was told."""

    name: str
    raised_at: int
    last_at: int
    count: int
    told_count: int
    told_value: float


class Met(msgspec.Struct, array_like=True):
    """A call that a sequence may need: its step, time, values that must agree and that must differ, frame."""

    step: int
    at: int
    same: bytes
    other: bytes
    frame: bytes


class Slot(msgspec.Struct, array_like=True):
    """What one rule keeps of one key.

    `cells` by bucket; `open` by window not closed yet; `learned` are (window, value) of closed ones, oldest first;
    `known` is what was met before (see `novelty`), `fresh` when it was met first, if that was lately; `hours` are the
    days by hour of day, `day` is the last one counted.
    """

    cells: dict[int, Cell] = {}
    frames: list[bytes] = []
    open: dict[int, Cell] = {}
    learned: list[tuple[int, float]] = []
    known: bytes = b""
    hours: list[int] = []
    day: int = -1
    met: list[Met] = []
    lasting: Lasting | None = None
    fresh: dict[bytes, int] = {}


class Row(msgspec.Struct, array_like=True):
    """One key. `applied` is, by partition of the source, the last offset that went into it; `keep_us` is how long
    after `head` it is of use."""

    born: int = 0
    head: int = 0
    keep_us: int = 0
    applied: dict[int, int] = {}
    slots: dict[int, Slot] = {}
    peers: dict[int, dict[bytes, tuple[int, float]]] = {}

    def outlived(self, now: int) -> bool:
        """Whether nothing at `now` (UTC, microseconds) or later can need it."""
        return self.head > 0 and self.head + self.keep_us < now

    def apply(self, source: tuple[int, int] | None) -> bool:
        """Whether the observation from (partition, offset) is new to this row; remembers it."""
        if source is None:
            return True
        partition, offset = source
        if self.applied.get(partition, -1) >= offset:
            return False
        self.applied[partition] = offset
        return True


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Row)


def row_bytes(row: Row) -> bytes:
    """The row as it is stored."""
    return _ENCODER.encode(row)


def row_of(data: bytes) -> Row:
    """The row in `data`. Raises ValueError for bytes that are none."""
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a row of the anomaly table: {type(error).__name__}") from error
