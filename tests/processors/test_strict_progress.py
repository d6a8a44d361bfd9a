"""The invariants of the strict consumer's bookkeeping: what may be committed, and what is given out again."""

from hypothesis import given
from hypothesis import strategies as st

from processors.strict.progress import Progress

TP = ("frames", 0)


def started(position: int = 10, committed: int | None = 10) -> Progress:
    """Books of one partition."""
    progress = Progress()
    progress.start(TP, position, committed)
    return progress


def test_nothing_is_committed_past_an_unfinished_record() -> None:
    progress = started()
    for offset in (10, 11, 12):
        assert progress.hand_over(TP, offset, 1)
    progress.finish(TP, 11)
    progress.finish(TP, 12)
    assert progress.committable(TP) is None
    progress.finish(TP, 10)
    assert progress.committable(TP) == 13


def test_a_record_is_handed_over_once() -> None:
    progress = started()
    assert progress.hand_over(TP, 10, 1)
    assert not progress.hand_over(TP, 10, 1)


def test_holes_in_the_log_are_not_waited_for() -> None:
    progress = started(10)
    progress.hand_over(TP, 14, 1)
    progress.finish(TP, 14)
    progress.skip_to(TP, 20)
    assert progress.committable(TP) == 20


def test_a_commit_that_failed_is_offered_again() -> None:
    progress = started()
    progress.hand_over(TP, 10, 1)
    progress.finish(TP, 10)
    assert progress.committable(TP) == 11
    assert progress.committable(TP) == 11
    progress.committed(TP, 11)
    assert progress.committable(TP) is None


def test_a_new_seek_forgets_what_was_handed_over_and_gives_it_out_again() -> None:
    progress = started()
    progress.hand_over(TP, 10, 100)
    progress.start(TP, 10, 10)
    assert (progress.held_bytes, progress.held_records) == (0, 0)
    assert progress.hand_over(TP, 10, 100)
    progress.finish(TP, 10)
    assert progress.committable(TP) == 11


def test_a_late_acknowledgement_for_a_partition_that_went_away_is_ignored() -> None:
    progress = started()
    progress.hand_over(TP, 10, 5)
    progress.forget([TP])
    progress.finish(TP, 10)
    assert progress.committable(TP) is None
    assert progress.next(TP) is None
    assert progress.held_bytes == 0


def test_a_finish_before_the_record_was_given_out_again_does_not_count() -> None:
    progress = started()
    progress.finish(TP, 10)
    progress.hand_over(TP, 10, 1)
    assert progress.committable(TP) is None


def test_held_bytes_are_those_of_unfinished_records() -> None:
    progress = started()
    progress.hand_over(TP, 10, 7)
    progress.hand_over(TP, 11, 5)
    progress.finish(TP, 10)
    progress.finish(TP, 10)
    assert (progress.held_bytes, progress.held_records) == (5, 1)


@given(st.sets(st.integers(0, 30), min_size=1).map(sorted), st.data())
def test_the_commit_is_always_the_oldest_unfinished_record(log: list[int], data: st.DataObject) -> None:
    """Records stand at the offsets in `log`; some are handed over, and some of those finish in any order."""
    progress = started(0, None)
    handed = log[: data.draw(st.integers(0, len(log)))]
    for offset in handed:
        progress.hand_over(TP, offset, 1)
    finished = data.draw(st.lists(st.sampled_from(handed), unique=True)) if handed else []
    for offset in finished:
        progress.finish(TP, offset)
        left = [
            handed_over for handed_over in handed if handed_over not in finished[: finished.index(offset) + 1]
        ]
        expected = min(left) if left else handed[-1] + 1
        assert progress.committable(TP) == (expected or None)
