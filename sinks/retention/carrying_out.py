"""Carrying out tombstones that are stored: what they name goes, but for what is held since."""

from collections.abc import Iterator, Sequence

from schemas.retention_content import Hold
from schemas.tombstones import Tombstone
from sinks.retention.due import NEVER, held
from sinks.retention.erasing import erase_rows
from sinks.retention.store import ROWS_MAX, Frames

AT_ONCE = 1_000
"""Tombstones of one change of the store."""


def carry_out(
    frames: Frames, tombstones: Sequence[Tombstone], holds: Sequence[Hold], erasure_key: bytes
) -> int:
    """Lets go what `tombstones` name, and notes which of them are done; how many rows a later hold keeps.

    Doing it again changes nothing. Raises StoreAwayError.
    """
    kept = 0
    for what, why in (("row", "expired"), ("body", "expired"), ("row", "erased"), ("body", "erased")):
        some = [each for each in tombstones if (each["what"], each["why"]) == (what, why)]
        if not some:
            continue
        if why == "erased":
            erase_rows(frames, some, erasure_key, holds)
            still = "retained != 'erased'"
        elif what == "row":
            frames.expire(some, holds)
            still = f"retain_until = {NEVER}"
        else:
            frames.empty_bodies(some, holds)
            still = f"body != '' AND retain_until = {NEVER}"
        kept += _note(frames, some, f"{still} AND {held(holds, frames.table)}" if holds else "")
    return kept


def groups(tombstones: Sequence[Tombstone]) -> Iterator[Sequence[Tombstone]]:
    """As many as one change takes: the places of their rows are in memory then."""
    some: list[Tombstone] = []
    rows = 0
    for each in tombstones:
        if some and (len(some) == AT_ONCE or rows + each["count"] > ROWS_MAX):
            yield some
            some, rows = [], 0
        some.append(each)
        rows += each["count"]
    if some:
        yield some


def _note(frames: Frames, tombstones: Sequence[Tombstone], kept: str) -> int:
    """Notes as done those of which nothing is left; rows that a hold keeps are told, and come up again."""
    left = {each["tombstone_id"]: frames.left(each, kept) if kept else 0 for each in tombstones}
    frames.applied([each for each in tombstones if not left[each["tombstone_id"]]])
    return sum(left.values())
