"""Frames of one partition of `audit` to observations: requests wait here for their answers. Pure.

What is durable when decides what a crash can do: observations first, then the drafts of requests, last which frames
were seen. A frame that comes again after its observations are out gives the same position again, and whoever folds
observations skips what is not beyond the last one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from processors.anomaly.observation import Observation
from processors.anomaly.observing import CALLS_MAX, begun, finished, grown, held, is_over
from processors.intervals import IntervalSet, Range
from schemas.frames import FrameAudited

RANGES_MAX = 64
_PLACES = 64  # positions a frame's observations may take
assert CALLS_MAX <= _PLACES

Load = Callable[[str], bytes | None]
"""The draft of an exchange, by its id."""

_ENCODER = msgspec.msgpack.Encoder()
_DRAFTS = msgspec.msgpack.Decoder(list[Observation])
_RANGES = msgspec.msgpack.Decoder(list[tuple[int, int]])


@dataclass(frozen=True, slots=True)
class Placed:
    """An observation and where it came from: partition of `audit`, and a position that grows with the offset."""

    seen: Observation
    partition: int
    position: int


class Seen:
    """Which offsets of `frames` were seen: a frame that was driven again is in `audit` twice.

    Bounded: of offsets below the oldest range that is kept, all count as seen.
    """

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges = IntervalSet()
        self._floor = 0
        for start, end in ranges:
            self._ranges.add(start, end)
            self._floor = self._floor or start

    def first_time(self, offset: int) -> bool:
        """Whether the frame was not seen yet; it is now."""
        if offset in self._ranges or offset < self._floor:
            return False
        self._ranges.add(offset, offset + 1)
        return True

    def stored(self) -> bytes:
        """As it is kept."""
        return _ENCODER.encode(list(self._ranges)[-RANGES_MAX:])

    @classmethod
    def restored(cls, data: bytes | None) -> "Seen":
        """From what was kept; of nothing, none seen."""
        ranges = _RANGES.decode(data) if data else []
        seen = cls(ranges)
        if len(ranges) < RANGES_MAX:
            seen._floor = 0
        return seen


@dataclass(slots=True)
class Joining:
    """One batch of one partition. `drafts` are those after it, by exchange; None: forget it."""

    partition: int
    seen: Seen
    load: Load
    drafts: dict[str, bytes | None] = field(default_factory=dict)
    again: int = 0
    orphans: int = 0

    def join(self, frame: FrameAudited, offset: int) -> list[Placed]:
        """What is observed with this frame, at this offset of `audit`."""
        if frame["frames_partition"] == self.partition and not self.seen.first_time(frame["frames_offset"]):
            self.again += 1
            return []
        if frame["part"] > 1 and not is_over(frame):
            return []
        found = self._request(frame) if frame["direction"] == "request" else self._answer(frame)
        return [Placed(each, self.partition, offset * _PLACES + place) for place, each in enumerate(found)]

    def _request(self, frame: FrameAudited) -> list[Observation]:
        drafts = begun(frame)
        if is_over(frame):
            return finished(drafts, frame)
        if frame["method"] != "initialize":  # its answer is on the partition of the session that it opens
            self.drafts[frame["exchange_id"]] = _ENCODER.encode(drafts)
        return held(drafts, frame) if frame["verdict"] == "hold" else []

    def _answer(self, frame: FrameAudited) -> list[Observation]:
        exchange = frame["exchange_id"]
        data = self.drafts[exchange] if exchange in self.drafts else self.load(exchange)
        if data is None:
            return self._orphan(frame)
        drafts = grown(_DRAFTS.decode(data), frame)
        self.drafts[exchange] = None if is_over(frame) else _ENCODER.encode(drafts)
        return finished(drafts, frame) if is_over(frame) else []

    def _orphan(self, frame: FrameAudited) -> list[Observation]:
        """The request is unknown, or was answered before: only an answer by itself says something new."""
        if frame["jsonrpc_type"] not in ("response", "error") or "," in frame["method"]:
            return []
        self.orphans += 1
        return finished(grown(begun(frame), frame), frame)
