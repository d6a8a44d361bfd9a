"""The chain of a lane: gaps, late frames, copies and forks."""

from __future__ import annotations

from hashlib import sha256

from schemas.digests import GENESIS
from sinks.verify.lanes import Gap, Lanes, Link


def link(
    seq: int, *, offset: int = -1, absent: int = 0, previous: bytes | None = None, digest: bytes = b""
) -> Link:
    """Frame `seq` of a lane whose digests are those of the numbers."""
    before = GENESIS if seq == 1 else _digest(seq - 1)
    place = seq if offset < 0 else offset
    return Link("l", seq, before if previous is None else previous, digest or _digest(seq), place, absent)


def _digest(seq: int) -> bytes:
    return sha256(str(seq).encode()).digest()


def test_a_whole_lane_has_no_gap_and_no_fault() -> None:
    lanes = Lanes()

    assert [lanes.add(link(seq)) for seq in range(1, 50)] == [""] * 49
    assert lanes.gaps() == []


def test_frames_that_come_late_close_their_gap() -> None:
    lanes = Lanes()

    faults = [lanes.add(link(seq, offset=at)) for at, seq in enumerate((1, 2, 5, 6, 4, 3, 7))]

    assert faults == [""] * 7
    assert lanes.gaps() == []


def test_a_gap_is_told_with_the_offsets_around_it_and_what_is_absent_between() -> None:
    lanes = Lanes()
    lanes.add(link(1, offset=10))
    lanes.add(link(4, offset=17, absent=2))

    assert lanes.gaps() == [Gap("l", 2, 3, 10, 17, 2)]


def test_a_lane_that_does_not_begin_with_its_first_frame_lacks_those_before_unless_it_is_a_part() -> None:
    whole, part = Lanes(), Lanes(whole=False)
    for lanes in (whole, part):
        lanes.add(link(3))

    assert [(gap.first, gap.last) for gap in whole.gaps()] == [(1, 2)]
    assert part.gaps() == []


def test_a_copy_is_none_of_the_faults_and_another_frame_under_its_number_is() -> None:
    lanes = Lanes()
    for seq in (1, 2, 3):
        lanes.add(link(seq))

    assert lanes.add(link(2)) == "copy"
    assert lanes.add(link(2, digest=bytes(32))) == "other"


def test_a_broken_link_is_told_on_both_sides_of_it() -> None:
    lanes = Lanes()
    lanes.add(link(1))

    assert "not the digest of frame 1" in lanes.add(link(2, previous=bytes(32)))
    assert "names one before it" in Lanes().add(link(1, previous=b"\1" * 32))
    lanes.add(link(5))
    assert "frame 5 of the lane names another" in lanes.add(link(4, digest=bytes(32)))
