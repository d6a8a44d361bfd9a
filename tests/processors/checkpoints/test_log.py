"""The log of one partition: what it signs, and what it never signs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checkpoints.log import Kept, Log, kept, read_kept
from processors.checkpoints.opening import Claim, Past, opened
from processors.checkpoints.refusal import RefusedError
from schemas.checkpoints import leaf_of
from schemas.merkle import Frontier, root_of

VALUES = [b"record %d" % number for number in range(60)]
LEAVES = [leaf_of(value) for value in VALUES]


def tree(size: int) -> Frontier:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    return frontier


def fed(log: Log, until: int, base: int = 0) -> Log:
    for offset in range(log.position, base + until):
        log.take(offset, VALUES[offset - base], 0.0)
    return log


def past(
    published: int, *sizes: int, base: int | None = 0, intent: Kept | None = None, **more: object
) -> Past:
    roots = tuple((size, root_of(LEAVES[:size])) for size in (*sizes, published) if size)
    return Past(base, published, roots, intent, **more)  # type: ignore[arg-type]


def test_records_become_a_tree_head_after_a_second_or_a_thousand_of_them() -> None:
    log = Log(7, Frontier())
    assert not log.due(100.0, 1_000, 1.0)
    log.take(7, VALUES[0], 10.0)
    log.take(8, VALUES[1], 10.9)
    assert not log.due(10.99, 1_000, 1.0)
    assert log.due(11.0, 1_000, 1.0)
    assert log.due(10.9, 2, 1.0)
    draft = log.draft()
    assert (draft.size, draft.root, draft.leaves) == (2, root_of(LEAVES[:2]), tuple(LEAVES[:2]))
    log.signed(draft)
    assert not log.due(99.0, 1, 1.0)
    log.take(9, VALUES[2], 50.0)
    assert not log.due(50.5, 1_000, 1.0)
    assert log.draft().leaves == (LEAVES[2],)


def test_a_missing_record_is_a_hole_and_one_that_comes_again_too() -> None:
    log = fed(Log(0, Frontier()), 3)
    for offset in (4, 2, 0):
        with pytest.raises(RefusedError, match="hole: offset 3 is expected"):
            log.take(offset, b"", 0.0)


def test_nothing_is_signed_before_what_was_signed_comes_out_again() -> None:
    log = opened(past(20), 0, 40, [tree(5)], 10)
    assert log is not None
    assert log.position == 5
    fed(log, 19)
    assert not log.due(99.0, 1, 0.0)
    fed(log, 20)
    assert not log.due(99.0, 1, 0.0), "there is nothing new yet"
    fed(log, 22)
    assert log.due(99.0, 1, 0.0)
    assert log.draft().leaves == tuple(LEAVES[20:22])


def test_a_record_that_changed_after_it_was_signed_is_refused() -> None:
    log = opened(past(20), 0, 40, [tree(5)], 10)
    assert log is not None
    fed(log, 12)
    log.take(12, b"forged", 0.0)
    for offset in range(13, 19):
        log.take(offset, VALUES[offset], 0.0)
    with pytest.raises(RefusedError, match="changed: offsets 5 to 19"):
        log.take(19, VALUES[19], 0.0)


def test_what_was_about_to_be_signed_has_to_come_out_too() -> None:
    """Its owner may have signed it and been killed, or be frozen and do so later."""
    intent = Kept(0, 20, tree(5), tree(25))
    log = opened(past(20, intent=intent), 0, 40, [intent.mark, intent.frontier], 10)
    assert log is not None
    assert log.position == 5
    fed(log, 24)
    assert not log.due(99.0, 1, 0.0)
    with pytest.raises(RefusedError, match="changed"):
        log.take(24, b"another record than its owner saw", 0.0)
    good = fed(opened(past(20, intent=intent), 0, 40, [intent.mark], 10) or log, 25)
    assert good.due(99.0, 1, 0.0)
    assert good.draft().leaves == tuple(LEAVES[20:25])


def test_a_new_log_begins_where_the_partition_does() -> None:
    log = opened(past(0, base=None), 7, 30, [], 10)
    assert log is not None
    assert (log.base_offset, log.position, log.published) == (7, 7, 0)


REFUSED = {
    "smaller-end": (past(20), 0, 19, []),
    "smaller-end of what was about to be signed": (
        past(20, intent=Kept(0, 20, tree(5), tree(25))),
        0,
        24,
        [],
    ),
    "hole: records gone before they were signed": (past(20), 21, 40, [tree(20)]),
    "rolled-back: this machine": (past(20, claims=(Claim("this machine", 21, tree(21).root()),)), 0, 40, []),
    "rolled-back: a witness that tells only a size": (past(20, claims=(Claim("w", 21, None),)), 0, 40, []),
    "rolled-back: an empty topic": (past(0, base=None, claims=(Claim("f", 1, tree(1).root()),)), 0, 40, []),
    "rolled-back: the last owner published more": (
        past(20, intent=Kept(0, 22, tree(5), tree(25))),
        0,
        40,
        [],
    ),
    "forked: two roots of one size": (past(20, claims=(Claim("f", 20, tree(19).root()),)), 0, 40, []),
    "forked: another beginning": (past(20, intent=Kept(3, 20, tree(5), tree(25))), 0, 40, []),
}


@pytest.mark.parametrize(("why", "found"), REFUSED.items(), ids=REFUSED)
def test_a_history_that_does_not_agree_is_refused(
    why: str, found: tuple[Past, int, int, list[Frontier]]
) -> None:
    with pytest.raises(RefusedError) as fault:
        opened(*found, 10)
    assert fault.value.why == why.partition(":")[0].partition(" ")[0]


def test_a_note_that_never_got_to_the_topic_rolls_nothing_back() -> None:
    claim = Claim("this machine", 25, tree(25).root(), final=False)
    log = opened(past(20, claims=(claim,)), 0, 40, [tree(20)], 10)
    assert log is not None
    fed(log, 24)
    assert not log.due(99.0, 1, 0.0)
    assert fed(log, 25).due(99.0, 1, 0.0)


def test_where_no_tree_is_left_to_begin_at_one_has_to_be_made_from_the_topic() -> None:
    assert opened(past(20), 0, 40, [], 10) is None
    assert opened(past(20), 6, 40, [tree(5)], 10) is None, "offset 5 is gone already"
    assert opened(past(20), 0, 40, [tree(25)], 10) is None, "its leaves from 20 on would lack"


def test_a_tree_that_is_not_the_signed_one_is_no_beginning() -> None:
    with pytest.raises(RefusedError, match="changed"):
        opened(past(20), 0, 40, [Frontier(20, tree(24).nodes)], 10)


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 15))
def test_what_is_kept_of_a_log_is_enough_to_go_on(size: int, reread: int, base: int) -> None:
    log = fed(Log(base, Frontier(), reread=reread), size, base)
    if not size:
        with pytest.raises(ValueError):
            read_kept(kept(log))
        return
    found = read_kept(kept(log))
    assert (found.base_offset, found.published, found.frontier) == (base, 0, tree(size))
    assert found.mark == tree(found.mark.size)
    assert size - found.mark.size <= 2 * reread
    assert size - found.mark.size >= min(size, reread)


@given(st.binary(max_size=200))
def test_what_was_not_kept_by_a_log_is_no_beginning(content: bytes) -> None:
    try:
        found = read_kept(content)
    except ValueError:
        return
    assert found.mark.size <= found.frontier.size
