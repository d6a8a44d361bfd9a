"""Any number of frames out of a reader that gives a limited number at a time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from sinks.readers import LIMIT_MAX, Frame, FrameFilter, Reader

PAGE_ROWS = 2_000


async def every_frame(
    reader: Reader, wanted: FrameFilter, page_rows: int = PAGE_ROWS
) -> AsyncIterator[Frame]:
    """The frames that `wanted` asks for, in the order of recording, however many there are.

    The next page starts at the time of the last frame, since others may have the same time; those given already
    are left out. Raises what the reader raises.
    """
    given: set[str] = set()
    rows = page_rows
    while True:
        page = await reader.frames(wanted, rows)
        full = sum(frame["parts_stored"] for frame in page) >= rows
        for frame in _whole(page) if full else page:
            if frame["frame_id"] not in given:
                yield frame
        if not full:
            return
        last = page[-1]["recorded_at"]
        given = {frame["frame_id"] for frame in _whole(page) if frame["recorded_at"] == last}
        # A page of one moment alone would be asked for again and again.
        rows = min(rows * 10, LIMIT_MAX) if page[0]["recorded_at"] == last else page_rows
        wanted = replace(wanted, since=last)


def _whole(page: Sequence[Frame]) -> Sequence[Frame]:
    """A full page may end within the parts of its last frame: that one comes whole with the next page."""
    last = page[-1]
    return page[:-1] if last["parts_stored"] < last["parts"] else page
