"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.durations import SECONDS_MAX, seconds_in, written


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("8h", 28_800), ("30d", 2_592_000)])
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "15", "m", "0m", "-1h", "1.5h", "1 h", "1w", "3651d", "9999999999s", "१m"]
)
def test_a_duration_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a time such as"):
        seconds_in(text)


@given(st.integers(1, SECONDS_MAX))
def test_what_is_written_is_read_as_the_same(seconds: int) -> None:
    assert seconds_in(written(seconds)) == seconds
