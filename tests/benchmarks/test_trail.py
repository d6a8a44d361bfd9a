"""What the benchmark of the trail draws is what the sink takes, and is the same whenever it is drawn."""

from benchmarks.trail.drawing import Plan, draw
from benchmarks.trail.storing import Record
from sinks.batches import sort
from sinks.seen import SeenFrames
from sinks.tables import frames_target

PLAN = Plan(frames=400, until_us=1_790_000_000_000_000)


def test_every_drawn_frame_is_fit_to_be_stored_and_none_is_a_repeat() -> None:
    values = draw(PLAN, 0).values
    records = [Record(0, at, None, value) for at, value in enumerate(values)]

    found = sort(frames_target("audit"), records, SeenFrames())

    assert (len(values), found.rows, found.rejected, found.repeats) == (400, 400, [], [])


def test_a_piece_is_the_same_whenever_it_is_drawn_and_another_one_is_not() -> None:
    assert draw(PLAN, 0) == draw(PLAN, 0)
    assert draw(Plan(20_000, PLAN.until_us), 1).values[0] != draw(PLAN, 0).values[0]
