"""What commands print cannot act on a terminal or mislead a reader."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from sluicegate.cli.output import cell, inert, json_line, print_line, print_table

HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202egnp.exe \u2028 \u200b \ud800 \x7f \r\n\t"


def test_control_and_format_characters_are_shown_as_escapes() -> None:
    shown = inert(HOSTILE)
    assert shown.isprintable()
    assert shown == (
        "\\x1b[31mred\\x1b]0;title\\x07 \\x9b2J \\u202egnp.exe \\u2028 \\u200b \\ud800 \\x7f \\r\\n\\t"
    )


@pytest.mark.parametrize("text", ["", "plain", "Grüße, 世界 🎉", "a  b"])
def test_ordinary_text_of_any_language_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_line_breaks_can_be_kept() -> None:
    assert inert("a\nb\tc", keep="\n") == "a\nb\\tc"


def test_json_is_one_line_of_printable_ascii_and_means_the_same() -> None:
    line = json_line(
        {"body": HOSTILE, "id": UUID(int=1), "at": datetime(2026, 1, 2, tzinfo=UTC), "raw": b"\xff"}
    )
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {
        "body": HOSTILE,
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-01-02T00:00:00+00:00",
        "raw": "\\xff",
    }


def test_a_table_shows_cells_whole_and_inert(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 90
    print_table(("one", "two"), [(HOSTILE, long), ("[bold]", None)], empty="nothing")
    shown = capsys.readouterr().out
    assert inert(HOSTILE) in shown
    assert long in shown
    assert "[bold]" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("one",), [], empty="nothing")
    assert capsys.readouterr().out == "nothing\n"


def test_a_line_is_inert(capsys: pytest.CaptureFixture[str]) -> None:
    print_line(HOSTILE)
    assert capsys.readouterr().out == inert(HOSTILE) + "\n"


def test_cells_of_every_kind_are_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    assert [cell(value) for value in (None, 5, True, b"\x1b", ["a", "\x1b"], moment)] == [
        "",
        "5",
        "True",
        "\\x1b",
        "a, \\x1b",
        "2026-01-02 03:04:05.678+00:00",
    ]
