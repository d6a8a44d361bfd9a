"""What counts as signed: witnesses, checkpoints from outside, logs that begin late, and what was never recorded."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from schemas.checkpoints import CheckpointRecord
from schemas.notes import NoteKey
from sinks.tables import frames_target
from sinks.verify.check import check
from sinks.verify.findings import Kind, Verdict
from sinks.verify.live import Horizon, LiveTrail, horizons
from sinks.verify.straight import Straight
from tests.verify.recorded import Trail, copied, cosigned, policy, signed, source

SECOND = NoteKey("second.example.net", bytes([3]) * 32)


def last(partition: int) -> CheckpointRecord:
    """The newest checkpoint."""
    return signed(partition, source().values[partition])[-1]


def found(trail: Trail, *kinds: Kind, **how: object) -> list[tuple[Kind, int, int, int]]:
    """What is found of these kinds."""
    report = trail.check(**how)  # type: ignore[arg-type]
    return [(f.kind, f.partition, f.first_offset, f.last_offset) for f in report.findings if f.kind in kinds]


def test_two_witnesses_count_together_wherever_they_said_it() -> None:
    both = policy(witnesses=(*policy().witnesses, SECOND.witness), quorum=2)
    with copied() as trail:
        assert (Kind.UNCHECKPOINTED_TAIL, 0, 0, 67) in found(trail, Kind.UNCHECKPOINTED_TAIL, believed=both)

        trail.put_checkpoints(cosigned(last(0), SECOND), first=600)
        outside = {1: [cosigned(last(1), SECOND)["note"]]}

        report = trail.check(both, outside)
        assert (report.verdict, [part.witnesses for part in report.coverage]) == (Verdict.SOUND, [2, 2])


def test_a_log_that_begins_late_says_nothing_of_the_rows_before() -> None:
    with copied() as trail:
        trail.run("ALTER TABLE {db}.checkpoints_stored DELETE WHERE partition = 1")
        late = signed(1, source().values[1][10:], base=10)
        trail.put_checkpoints(*late, first=700)

        report = trail.check()

    assert report.verdict is Verdict.INCOMPLETE
    assert [(f.first_offset, f.last_offset) for f in report.findings if f.partition == 1] == [(0, 9)]
    assert (report.coverage[1].base_offset, report.coverage[1].size) == (10, 14)


def test_a_frame_that_never_came_into_the_log_is_missing_in_its_lane() -> None:
    values = source().values[1]
    kept = values[:6] + values[7:]
    with copied() as trail:
        trail.run("ALTER TABLE {db}.checkpoints_stored DELETE WHERE partition = 1")
        trail.run("ALTER TABLE {db}.frames_stored DELETE WHERE k_partition = 1")
        trail.put(frames_target("audit"), *kept, partition=1, first=0)
        trail.put_checkpoints(*signed(1, kept), first=700)

        report = trail.check()

    assert report.verdict is Verdict.INCOMPLETE
    missing = [(f.lane, f.lane_seq, f.first_offset) for f in report.findings if f.kind is Kind.MISSING]
    assert missing == [("gw-c/boot/0/1", 7, -1)]


def test_a_check_waits_until_what_is_stored_is_signed_and_no_longer_than_it_was_told() -> None:
    class Asked:
        """A store whose signatures come one a question."""

        signed = 0

        def partitions(self) -> list[int]:
            return [0]

        def ends(self, _partition: int) -> dict[str, int | None]:
            self.signed += 1
            return {"rows_end": 9, "signed_end": min(self.signed, self.most)}

        def __init__(self, most: int) -> None:
            self.most = most

    clock = count().__next__
    assert horizons(Asked(10), 100, clock, lambda: None) == {0: Horizon(10, 10)}  # type: ignore[arg-type]
    assert horizons(Asked(7), 5, clock, lambda: None) == {0: Horizon(7, 10)}  # type: ignore[arg-type]


def test_rows_that_go_while_the_trail_is_read_are_known_by_tombstones_that_come_meanwhile() -> None:
    class Going(LiveTrail):
        """A trail whose tombstones are stored after the check has begun."""

        begun = False

        def tombstones(self, partition: int) -> Iterable[dict[str, Any]]:
            known = super().tombstones(partition) if self.begun else []
            self.begun = True
            return known

    asking = Straight(source().client, source().database)
    seen = horizons(asking, 0.0, count().__next__, lambda: None)

    report = check(Going(asking, seen), policy())

    assert report.verdict is Verdict.SOUND
    assert report.counts == {Kind.EXPIRED_BY_POLICY: 2}


def test_an_empty_trail_cannot_be_checked() -> None:
    with copied() as trail:
        for table in ("frames_stored", "repeats_stored", "checkpoints_stored", "tombstones_stored"):
            trail.run(f"TRUNCATE TABLE {{db}}.{table}")

        assert trail.check().verdict is Verdict.CANNOT_CHECK
        assert trail.check(outside={0: [last(0)["note"]]}).counts[Kind.TRUNCATED] == 1
