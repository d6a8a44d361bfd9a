"""A replay keeps the pace of the recording."""

from datetime import UTC, datetime, timedelta

from sluicegate.cli.pace import Pace

START = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_frames_are_due_as_far_apart_as_they_were_recorded() -> None:
    pace = Pace(1.0, Clock())
    assert [pace.seconds_until(after(seconds)) for seconds in (0, 1.5, 4)] == [0, 1.5, 4]


def test_time_spent_on_printing_does_not_add_up() -> None:
    clock = Clock()
    pace = Pace(1.0, clock)
    pace.seconds_until(after(0))
    clock.now += 1.25
    assert pace.seconds_until(after(1.5)) == 0.25
    clock.now += 10
    assert pace.seconds_until(after(4)) == 0


def test_speed_divides_the_waits_and_zero_never_waits() -> None:
    twice = Pace(2.0, Clock())
    assert [twice.seconds_until(after(seconds)) for seconds in (0, 3)] == [0, 1.5]
    none = Pace(0.0, Clock())
    assert [none.seconds_until(after(seconds)) for seconds in (0, 3)] == [0, 0]


def test_a_frame_recorded_before_its_predecessor_is_due_at_once() -> None:
    pace = Pace(1.0, Clock())
    assert [pace.seconds_until(after(seconds)) for seconds in (0, -5)] == [0, 0]
