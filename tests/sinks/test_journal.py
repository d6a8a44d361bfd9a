"""The entry in the commit metadata that names the batch in doubt."""

import pytest

from sinks.journal import METADATA_BYTES_MAX, PARTITIONS_MAX, BatchRange, in_doubt

BATCH = BatchRange("audit", {0: (10, 19), 2: (5, 5)})


def test_a_batch_in_doubt_is_found_again_with_the_same_token() -> None:
    entry = BATCH.metadata()

    found = in_doubt("audit", {0: (10, entry), 1: (77, ""), 2: (5, entry)})

    assert [batch.token for batch in found] == [BATCH.token]
    assert dict(found[0].ranges) == {0: (10, 19), 2: (5, 5)}


def test_a_partition_that_moved_past_the_entry_is_settled() -> None:
    entry = BATCH.metadata()

    found = in_doubt("audit", {0: (20, ""), 2: (5, entry)})

    assert [dict(batch.ranges) for batch in found] == [{2: (5, 5)}]


def test_a_batch_whose_partitions_were_shared_out_is_cut_again_as_far_as_it_is_ours() -> None:
    found = in_doubt("audit", {2: (5, BATCH.metadata())})

    assert [dict(batch.ranges) for batch in found] == [{2: (5, 5)}]
    assert found[0].token != BATCH.token


@pytest.mark.parametrize("entry", ["", "x", "[]", "{}", '{"batch":7}', '{"batch":[[1,2]]}', "null"])
def test_metadata_that_is_not_ours_names_no_batch(entry: str) -> None:
    assert in_doubt("audit", {0: (10, entry)}) == []


def test_the_entry_of_the_largest_batch_fits_the_commit_metadata() -> None:
    huge = 2**40
    batch = BatchRange("audit", {1_000 + part: (huge, huge + 10_000) for part in range(PARTITIONS_MAX)})

    assert len(batch.metadata().encode()) < METADATA_BYTES_MAX


def test_the_same_ranges_give_the_same_token_and_others_another() -> None:
    assert BATCH.token == BatchRange("audit", {2: (5, 5), 0: (10, 19)}).token
    assert BATCH.token != BatchRange("audit", {0: (10, 19), 2: (5, 6)}).token
    assert BATCH.token != BatchRange("findings", BATCH.ranges).token
