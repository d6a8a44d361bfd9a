"""Which frames are stored already: for each lane the runs of lane_seq, so that a repeat is known before it is sent.

A processor repeats records after a crash, and the gateway may repeat a send whose answer was lost. A frame's
identity is (lane, lane_seq), and lanes have no gaps: nearly always one run says it all.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable

LANES_MAX = 20_000


class Runs:
    """A set of whole numbers as disjoint runs, first and last inclusive, in order."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def add(self, first: int, last: int) -> None:
        """Takes in `first` to `last`, and joins what then touches."""
        if self._lasts and first == self._lasts[-1] + 1:  # the usual case: the lane goes on
            self._lasts[-1] = last
            return
        low = bisect_right(self._lasts, first - 2)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def pairs(self) -> list[tuple[int, int]]:
        """The runs as (first, last)."""
        return list(zip(self._firsts, self._lasts, strict=True))


class SeenFrames:
    """What is stored, by lane; the lanes longest out of use are forgotten first.

    Forgetting is safe: a copy that gets through is collapsed by the store, and no view shows it.
    """

    def __init__(self, lanes_max: int = LANES_MAX) -> None:
        self._lanes: OrderedDict[str, Runs] = OrderedDict()
        self._lanes_max = lanes_max

    def __contains__(self, frame: tuple[str, int]) -> bool:
        lane, seq = frame
        runs = self._lanes.get(lane)
        return runs is not None and seq in runs

    def add(self, lane: str, first: int, last: int) -> None:
        """`first` to `last` of `lane` are stored."""
        runs = self._lanes.get(lane)
        if runs is None:
            runs = self._lanes[lane] = Runs()
            if len(self._lanes) > self._lanes_max:
                self._lanes.popitem(last=False)
        else:
            self._lanes.move_to_end(lane)
        runs.add(first, last)

    def add_all(self, frames: Iterable[tuple[str, int]]) -> None:
        """Every (lane, lane_seq) of `frames` is stored."""
        for lane, seq in frames:
            self.add(lane, seq, seq)
