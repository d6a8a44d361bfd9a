"""Cutting batches from what waits, and sorting them."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from sinks.batches import Intake, sort
from sinks.journal import PARTITIONS_MAX, BatchRange
from sinks.seen import SeenFrames
from sinks.tables import frames_target
from tests.sinks.records import Trail


@dataclass
class Record:
    partition: int
    offset: int
    value: bytes | None = b"0123456789"
    key: bytes | None = None


def intake(*records: Record) -> Intake:
    waiting = Intake("audit")
    for record in records:
        waiting.add(record.partition, [record])
    return waiting


def test_a_batch_spans_partitions_and_is_named_by_first_and_last_offset() -> None:
    waiting = intake(Record(1, 7), Record(0, 4), Record(1, 9))

    cut = waiting.cut(100, 1_000)

    assert cut is not None
    assert dict(cut[0].ranges) == {0: (4, 4), 1: (7, 9)}
    assert [(r.partition, r.offset) for r in cut[1]] == [(0, 4), (1, 7), (1, 9)]
    assert waiting.cut(100, 1_000) is None


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=40),
    st.integers(1, 7),
    st.integers(1, 90),
)
def test_batches_hold_every_record_once_in_order_and_stay_within_the_limits(
    sizes: list[tuple[int, int]], rows_max: int, bytes_max: int
) -> None:
    records = [Record(part, offset, b"x" * size) for offset, (part, size) in enumerate(sizes)]
    waiting, taken = intake(*records), []

    while cut := waiting.cut(rows_max, bytes_max):
        taken += cut[1]
        assert len(cut[1]) <= rows_max
        assert len(cut[1]) == 1 or sum(len(r.value or b"") for r in cut[1]) <= bytes_max

    for partition in range(4):
        assert [r for r in taken if r.partition == partition] == [
            r for r in records if r.partition == partition
        ]
    assert (waiting.waiting_rows, waiting.waiting_bytes) == (0, 0)


def test_a_record_above_the_limit_is_a_batch_of_its_own() -> None:
    cut = intake(Record(0, 1, b"x" * 5_000), Record(0, 2)).cut(10, 100)

    assert cut is not None
    assert [r.offset for r in cut[1]] == [1]


def test_a_batch_in_doubt_is_cut_again_as_it_was_and_what_follows_waits() -> None:
    waiting = intake(*(Record(part, offset) for part in (0, 1) for offset in range(10)))

    again = waiting.cut_again(BatchRange("audit", {0: (0, 3), 1: (0, 1)}))

    assert [(r.partition, r.offset) for r in again] == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]
    rest = waiting.cut(100, 10_000)
    assert rest is not None
    assert dict(rest[0].ranges) == {0: (4, 9), 1: (2, 9)}


def test_records_of_a_batch_in_doubt_that_no_longer_exist_are_left_out() -> None:
    again = intake(Record(0, 8), Record(0, 12)).cut_again(BatchRange("audit", {0: (5, 10)}))

    assert [r.offset for r in again] == [8]


def test_a_batch_never_spans_more_partitions_than_its_journal_entry_can_name() -> None:
    cut = intake(*(Record(part, 1) for part in range(PARTITIONS_MAX + 20))).cut(10_000, 1_000_000)

    assert cut is not None
    assert len(cut[0].ranges) == PARTITIONS_MAX


def test_sorting_tells_new_frames_from_repeats_and_from_unfit_values() -> None:
    trail = Trail(lane="gw/b/0/0")
    first, second, third = trail.frame(), trail.frame(), trail.frame()
    seen = SeenFrames()
    seen.add("gw/b/0/0", 1, 1)
    values = [first, second, second, None, b"noise", third[:-1], third]

    found = sort(frames_target("audit"), [Record(0, i, value) for i, value in enumerate(values)], seen)

    assert [placed.offset for rows in found.keep.values() for placed in rows] == [1, 6]
    assert found.frames == [("gw/b/0/0", 2), ("gw/b/0/0", 3)]
    assert found.duplicates == 2
    assert [(item.record.offset, item.reason_code) for item in found.rejected] == [
        (3, "not_avro"),
        (4, "not_avro"),
        (5, "undecodable"),
    ]


def test_numbers_that_the_columns_cannot_hold_make_a_record_unfit() -> None:
    trail = Trail()
    for fields in ({"http_status": 70_000}, {"recorded_at": 5}, {"part": 3}, {"elapsed_us": -1}):
        trail.frame(**fields)

    found = sort(frames_target("audit"), [Record(0, i, v) for i, v in enumerate(trail.values)], SeenFrames())

    assert [item.reason_code for item in found.rejected] == ["out_of_range"] * 4
