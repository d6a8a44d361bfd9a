"""A part's log stays within its bounds."""

from __future__ import annotations

import os
from pathlib import Path

from sluicegate.embedded.logs import RotatingLog
from sluicegate.embedded.say import say_nothing


def test_a_full_log_makes_room_by_dropping_the_oldest_file(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "part.log", say_nothing, bytes_max=100, kept=2)
    for number in range(50):
        log.append(b"%02d " % number + b"x" * 46 + b"\n")
    log.close()
    assert sorted(os.listdir(tmp_path)) == ["part.log", "part.log.1", "part.log.2"]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    kept = [(tmp_path / name).read_text()[:2] for name in ("part.log.2", "part.log.1", "part.log")]
    assert kept == ["44", "46", "48"]


def test_the_last_lines_are_at_hand(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "part.log", say_nothing)
    log.append(b"one\ntwo\nthr")
    log.append(b"ee\n")
    log.close()
    assert log.tail(2) == ["two", "three"]


def test_a_restart_appends_to_the_log_of_the_run_before(tmp_path: Path) -> None:
    for run in (b"first\n", b"second\n"):
        log = RotatingLog(tmp_path / "part.log", say_nothing)
        log.append(run)
        log.close()
    assert (tmp_path / "part.log").read_bytes() == b"first\nsecond\n"


def test_a_disk_that_refuses_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    log = RotatingLog(Path("/dev/full"), said.append, bytes_max=1 << 40)
    log.append(b"lost on disk\n")
    log.append(b"lost too\n")
    log.close()
    assert len(said) == 1
    assert "cannot be written" in said[0]
    assert log.tail() == ["lost on disk", "lost too"]
