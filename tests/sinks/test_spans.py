"""Times that people write."""

from __future__ import annotations

import pytest

from sinks.readers import ReadError
from sinks.spans import moment


def test_a_time_without_a_zone_is_in_utc_and_one_with_a_zone_comes_to_utc() -> None:
    assert moment("2026-11-21T10:00:00") == moment("2026-11-21T12:00:00+02:00")
    assert moment("2026-11-21T12:00:00+02:00").isoformat() == "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_time_or_lies_before_the_first_is_refused(text: str) -> None:
    with pytest.raises(ReadError, match="is no time; write for instance"):
        moment(text)
