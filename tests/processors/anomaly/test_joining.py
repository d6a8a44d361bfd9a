"""Requests wait for their answers: whatever comes twice or not at all, each call is observed once."""

from typing import Any

from processors.anomaly.joining import RANGES_MAX, Joining, Placed, Seen
from schemas.frames import FrameAudited
from tests.processors.anomaly.making import answer, call, frame, request_fields, response_fields


class Trail:
    """A partition of audit, joined batch by batch, with what is kept between them."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.seen = b""
        self.offset = 0

    def batch(self, *frames: FrameAudited, start: int | None = None, keep: bool = True) -> list[Placed]:
        """Join; `keep` False: the process dies before anything is kept."""
        offset = self.offset if start is None else start
        joining = Joining(0, Seen.restored(self.seen), self.kept.get)
        found = [placed for place, each in enumerate(frames) for placed in joining.join(each, offset + place)]
        if keep:
            self.seen = joining.seen.stored()
            for exchange, draft in joining.drafts.items():
                if draft is None:
                    self.kept.pop(exchange, None)
                else:
                    self.kept[exchange] = draft
            self.offset = offset + len(frames)
        return found


def pair(number: int, **over: Any) -> tuple[FrameAudited, FrameAudited]:
    shared = request_fields(number, "resources_get", **over)
    asked = frame(2 * number, call("resources_get", {"kind": "Secret", "name": f"s{number}"}), **shared)
    return asked, frame(2 * number + 1, answer(), **{**shared, **response_fields()})


def objects(found: list[Placed]) -> list[str]:
    return [placed.seen.object for placed in found]


def test_an_answer_finds_its_request_in_the_same_batch_and_in_a_later_one() -> None:
    trail = Trail()
    (one, told_one), (two, told_two) = pair(1), pair(2)
    assert objects(trail.batch(one, two, told_one)) == ["Secret/s1"]
    assert list(trail.kept) == [two["exchange_id"]]
    assert objects(trail.batch(told_two)) == ["Secret/s2"]
    assert trail.kept == {}


def test_frames_that_are_driven_again_are_not_observed_again() -> None:
    trail = Trail()
    one, two = pair(1), pair(2)
    assert len(trail.batch(*one, *two)) == 2
    assert trail.batch(*one, *two) == []


def test_a_frame_that_was_missing_is_observed_when_it_is_driven_again() -> None:
    trail = Trail()
    (one, told_one), two = pair(1), pair(2)
    trail.batch(one, *two)
    assert objects(trail.batch(told_one)) == ["Secret/s1"]


def test_after_a_crash_the_same_places_come_out_again() -> None:
    trail = Trail()
    frames = [*pair(1), *pair(2)]
    lost = trail.batch(*frames, keep=False)
    assert trail.batch(*frames) == lost
    assert len({placed.position for placed in lost}) == 2


def test_places_grow_with_the_offset() -> None:
    trail = Trail()
    found = [placed.position for number in range(1, 9) for placed in trail.batch(*pair(number))]
    assert found == sorted(set(found))


def test_a_held_call_is_observed_when_it_is_held_and_when_it_is_done() -> None:
    trail = Trail()
    asked, told = pair(1, verdict="hold")
    (waiting,) = trail.batch(asked)
    assert (waiting.seen.outcome, waiting.seen.approval_asked) == ("held", True)
    (done,) = trail.batch(told)
    assert (done.seen.outcome, done.seen.approval_asked) == ("ok", False)


def test_what_follows_an_answer_says_nothing_new() -> None:
    trail = Trail()
    asked, told = pair(1)
    end = frame(
        9,
        b"",
        **{**request_fields(1, "x"), "direction": "end", "jsonrpc_type": "none", "outcome": "completed"},
    )
    assert len(trail.batch(asked, told, end)) == 1


def test_streamed_answers_add_up_until_the_one_that_answers() -> None:
    trail = Trail()
    asked, told = pair(1)
    shared = request_fields(1, "resources_get")
    note = response_fields(outcome="pending", jsonrpc_type="notification")
    progress = frame(8, b"12345", **{**shared, **note})
    (seen,) = trail.batch(asked, progress, told)
    assert seen.seen.response_bytes == 5 + len(answer())


def test_of_offsets_seen_only_so_many_ranges_are_kept_and_what_is_below_counts_as_seen() -> None:
    seen = Seen()
    for n in range(0, 10 * RANGES_MAX, 2):
        assert seen.first_time(n)
    again = Seen.restored(seen.stored())
    assert len(seen.stored()) < 10 * RANGES_MAX
    assert not again.first_time(1)
    assert not again.first_time(10 * RANGES_MAX - 2)
    assert again.first_time(10 * RANGES_MAX - 1)
