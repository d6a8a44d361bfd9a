"""The books of the completeness check: what was seen, what is missing, where to go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ledger import Ledger, Mark, Resume


def ledger(watermark: int = 0) -> Ledger:
    """Books that begin at the beginning."""
    return Ledger(2, watermark, Resume(0, {0: 0}))


def see(books: Ledger, *offsets: int, audit: int, dead_letters: int = 0) -> None:
    """Read records about `offsets`, up to the given positions."""
    for offset in offsets:
        books.saw(offset)
    books.read_to(audit, {0: dead_letters})


def test_frames_in_order_move_the_watermark_and_the_resume_point() -> None:
    books = ledger()
    see(books, 0, 1, 2, audit=3)
    assert (books.watermark, books.resume) == (3, Resume(3, {0: 0}))


def test_a_hole_holds_the_watermark_and_the_resume_point() -> None:
    books = ledger()
    see(books, 0, 1, 3, 4, audit=4)
    assert (books.watermark, books.resume.audit) == (2, 0)
    see(books, 2, audit=5)
    assert (books.watermark, books.resume.audit) == (5, 5)


def test_a_dead_letter_fills_a_hole() -> None:
    books = ledger()
    see(books, 0, 2, audit=2)
    see(books, 1, audit=2, dead_letters=1)
    assert (books.watermark, books.resume) == (3, Resume(2, {0: 1}))


def test_nothing_is_missing_before_reading_has_passed_the_mark() -> None:
    books = ledger()
    books.mark = Mark(upto=3, audit_end=5, dead_letter_ends={0: 1})
    see(books, 0, audit=4, dead_letters=1)
    assert books.judge(4, {0: 1}) == []
    assert books.judge(5, {0: 0}) == []
    assert books.judge(5, {0: 1}) == [(1, 3)]


def test_a_judgement_is_made_once_a_mark() -> None:
    books = ledger()
    books.mark = Mark(upto=1, audit_end=0, dead_letter_ends={})
    assert books.judge(0, {}) == [(0, 1)]
    assert books.judge(0, {}) == []
    assert books.missing_frames == 1


def test_what_is_not_committed_yet_is_not_missing() -> None:
    books = ledger()
    books.mark = Mark(upto=2, audit_end=3, dead_letter_ends={})
    see(books, 0, 1, 3, audit=3)
    assert books.judge(3, {}) == []


def test_a_missing_frame_that_turns_up_is_missing_no_more() -> None:
    books = ledger()
    books.mark = Mark(upto=3, audit_end=2, dead_letter_ends={})
    see(books, 0, 2, audit=2)
    assert books.judge(2, {}) == [(1, 2)]
    see(books, 1, audit=3)
    assert (books.missing, books.missing_frames, books.watermark) == ([], 0, 3)


def test_what_is_lost_is_accounted_for_and_the_watermark_goes_on() -> None:
    books = ledger()
    see(books, 2, audit=1)
    books.account([(0, 2)])
    books.read_to(1, {0: 0})
    assert books.watermark == 3


def test_a_repeat_below_the_watermark_changes_nothing() -> None:
    books = ledger()
    see(books, 0, 1, audit=2)
    see(books, 0, 1, audit=4)
    assert (books.watermark, books.resume.audit) == (2, 4)


def test_books_come_back_as_they_were_kept() -> None:
    books = ledger()
    books.mark = Mark(upto=5, audit_end=2, dead_letter_ends={})
    see(books, 0, 3, audit=2, dead_letters=7)
    books.judge(2, {})
    books.redriven, books.expired = 4, 2
    again = Ledger.restored(2, books.resume.audit, books.kept())
    assert (again.watermark, again.resume) == (books.watermark, books.resume)
    assert (again.redriven, again.expired) == (4, 2)
    assert (again.missing, again.missing_frames) == ([(1, 3), (4, 5)], 3)


@pytest.mark.parametrize(
    "kept", ["", "{}", "[]", '{"watermark":1}', '{"watermark":"x","dead_letters":3}', "null"]
)
def test_metadata_that_is_not_ours_is_refused(kept: str) -> None:
    with pytest.raises(ValueError):
        Ledger.restored(0, 0, kept)


def test_kept_books_stay_below_what_kafka_takes_as_metadata() -> None:
    books = ledger(10**15)
    books.missing = [(10**15 + 2 * n, 10**15 + 2 * n + 1) for n in range(10_000)]
    assert len(books.kept()) < 4096


@given(st.permutations(range(12)), st.integers(0, 12), st.sets(st.integers(0, 11)))
def test_a_restart_anywhere_sees_what_the_uninterrupted_check_sees(
    order: list[int], restart: int, lost: set[int]
) -> None:
    """Audit record number i is about frame order[i]; frames in `lost` never got one."""
    trail = [offset for offset in order if offset not in lost]
    restart = min(restart, len(trail))
    books = ledger()
    for position, offset in enumerate(trail[:restart], 1):
        see(books, offset, audit=position)
    books = Ledger.restored(2, books.resume.audit, books.kept())
    for position in range(books.resume.audit, len(trail)):
        see(books, trail[position], audit=position + 1)
    books.mark = Mark(upto=12, audit_end=len(trail), dead_letter_ends={})
    missing = books.judge(len(trail), {})
    assert {offset for start, end in missing for offset in range(start, end)} == lost
