"""Any number of frames is read page by page, each frame once, in order."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from sinks.paging import every_frame
from sinks.readers import Frame, FrameFilter, Reader


class Shelf:
    """Gives stored rows as a store does: from `since` on, cut at the limit of rows, parts of a frame joined."""

    def __init__(self, frames: list[tuple[int, int]]) -> None:
        """`frames`: (second, parts) of each, in order."""
        self._rows = [
            (number, second, parts) for number, (second, parts) in enumerate(frames) for _ in range(parts)
        ]
        self.asked = 0

    async def frames(self, wanted: FrameFilter, limit: int) -> Sequence[Frame]:
        self.asked += 1
        rows = [row for row in self._rows if moment(row[1]) >= wanted.since][:limit]
        numbers = dict.fromkeys(row[0] for row in rows)
        return [self._frame(number, sum(row[0] == number for row in rows)) for number in numbers]

    def _frame(self, number: int, stored: int) -> Frame:
        _, second, parts = next(row for row in self._rows if row[0] == number)
        row: dict[str, Any] = {
            "frame_id": f"f{number}",
            "recorded_at": moment(second),
            "parts": parts,
            "parts_stored": stored,
        }
        return cast("Frame", row)


def moment(second: int) -> str:
    return f"2026-01-02T00:00:{second:02}.000000Z"


async def read(shelf: Shelf, page_rows: int) -> list[tuple[str, int]]:
    frames = every_frame(cast("Reader", shelf), FrameFilter(), page_rows)
    return [(frame["frame_id"], frame["parts_stored"]) async for frame in frames]


@pytest.mark.parametrize("page_rows", [2, 3, 4, 5, 100])
@pytest.mark.parametrize(
    "seconds",
    [
        [],
        [1],
        [1, 2, 3, 4, 5, 6, 7],
        [1, 1, 1, 1, 1, 1, 1, 2],
        [1, 2, 2, 2, 2, 3, 3, 4],
    ],
    ids=["none", "one", "each its own time", "one moment larger than a page", "some at one time"],
)
async def test_every_frame_is_given_once_in_order(seconds: list[int], page_rows: int) -> None:
    found = await read(Shelf([(second, 1) for second in seconds]), page_rows)
    assert found == [(f"f{number}", 1) for number in range(len(seconds))]


@pytest.mark.parametrize("page_rows", [3, 4, 5, 6, 7, 8])
async def test_a_frame_in_parts_is_never_given_in_half(page_rows: int) -> None:
    found = await read(Shelf([(1, 1), (2, 3), (3, 3), (3, 1), (4, 2)]), page_rows)
    assert found == [("f0", 1), ("f1", 3), ("f2", 3), ("f3", 1), ("f4", 2)]


async def test_a_short_page_is_the_last_question() -> None:
    shelf = Shelf([(1, 1), (2, 1)])
    await read(shelf, 100)
    assert shelf.asked == 1
