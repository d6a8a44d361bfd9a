"""The chain of each lane: its frames are numbered without gaps, and each names the digest of the one before it.

Frames may come late (what lacked is driven again) and twice (what was in doubt is sent again), so a lane is kept as
islands of consecutive frames, with the digests at both ends; an honest lane ends as one island from frame 1.
"""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise

from schemas.digests import GENESIS

SEEN_MAX = 200_000
"""Frames whose digests are kept, so that a copy can be told from another frame under the same number."""


@dataclass(frozen=True, slots=True)
class Link:
    """One frame of a lane, where it stood, and how many signed rows before it are not there."""

    lane: str
    seq: int
    previous: bytes
    digest: bytes
    offset: int
    absent: int


@dataclass(slots=True)
class _Island:
    first: Link
    last: Link


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames `first` to `last` of a lane were not seen; they stand after `after` and before `before` (offsets).

    `absent`: how many signed rows between these are not there, which may be those frames.
    """

    lane: str
    first: int
    last: int
    after: int
    before: int
    absent: int


class Lanes:
    """The lanes of one partition."""

    def __init__(self, *, whole: bool = True) -> None:
        """`whole`: the rows are all there are, so every lane begins with its first frame."""
        self._whole = whole
        self._islands: dict[str, list[_Island]] = {}
        self._seen: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._islands)

    def add(self, link: Link) -> str:
        """Takes in a frame; what is wrong with it, '' for nothing, "copy" for one seen already, "other" for another
        frame under a number that is taken."""
        islands = self._islands.setdefault(link.lane, [])
        key = (link.lane, link.seq)
        if any(island.first.seq <= link.seq <= island.last.seq for island in islands):
            known = self._seen.get(key)
            return "copy" if known is None or known == link.digest else "other"
        self._seen[key] = link.digest
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return self._join(islands, link)

    def _join(self, islands: list[_Island], link: Link) -> str:
        before = next((island for island in reversed(islands) if island.last.seq == link.seq - 1), None)
        after = next((island for island in islands if island.first.seq == link.seq + 1), None)
        fault = ""
        if link.seq == 1 and link.previous != GENESIS:
            fault = "the first frame of the lane names one before it"
        if before is not None and before.last.digest != link.previous:
            fault = f"prev_digest is not the digest of frame {before.last.seq} of the lane"
        if after is not None and after.first.previous != link.digest:
            fault = f"frame {after.first.seq} of the lane names another one before it"
        if before is not None:
            before.last = link
            if after is not None:
                before.last = after.last
                islands.remove(after)
        elif after is not None:
            after.first = link
        else:
            islands.append(_Island(link, link))
            islands.sort(key=lambda island: island.first.seq)
        return fault

    def gaps(self) -> list[Gap]:
        """What was not seen of each lane."""
        found = []
        for lane, islands in self._islands.items():
            head = islands[0].first
            if self._whole and head.seq > 1:
                found.append(Gap(lane, 1, head.seq - 1, -1, head.offset, head.absent))
            for left, right in pairwise(islands):
                low, high = sorted((left.last, right.first), key=lambda link: link.offset)
                found.append(
                    Gap(
                        lane,
                        left.last.seq + 1,
                        right.first.seq - 1,
                        low.offset,
                        high.offset,
                        high.absent - low.absent,
                    )
                )
        return found
