"""What libraries log is written down, but not the same thing hundreds of times a second."""

from __future__ import annotations

import logging
import sys

from sluicegate.cli.logs import SAME_SECONDS, TOLD_MAX, Sparing


def said(text: str, *values: object, name: str = "aiokafka", fault: bool = False) -> logging.LogRecord:
    exc_info = None
    if fault:
        try:
            raise ValueError
        except ValueError:
            exc_info = sys.exc_info()
    return logging.LogRecord(name, logging.ERROR, "file.py", 1, text, values, exc_info)


def test_the_same_is_said_once_in_a_while_whatever_its_values() -> None:
    now = [100.0]
    sparing = Sparing(lambda: now[0])
    told = [sparing.filter(said("no way to %s", node)) for node in range(500)]
    assert told == [True] + [False] * 499
    assert sparing.filter(said("another"))
    assert sparing.filter(said("no way to %s", 1, name="other.library"))
    now[0] += SAME_SECONDS
    assert sparing.filter(said("no way to %s", 1))


def test_a_fault_with_a_traceback_is_always_said() -> None:
    sparing = Sparing(lambda: 1.0)
    assert [sparing.filter(said("it broke", fault=True)) for _ in range(3)] == [True] * 3


def test_what_was_said_is_not_kept_without_bound() -> None:
    sparing = Sparing(lambda: 1.0)
    for number in range(3 * TOLD_MAX):
        assert sparing.filter(said(f"number {number}"))
    assert len(sparing._told) <= TOLD_MAX
