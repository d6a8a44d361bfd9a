"""A lost check is seen, whatever way it was lost; nothing else counts as lost."""

import json
from pathlib import Path

import pytest

from tests.conformance.compare import CheckKey, Outcome, collect, rows, tally
from tests.conformance.report import lines
from tests.conformance.suite import SuiteError, read_results

PASS, FAIL = Outcome("SUCCESS"), Outcome("FAILURE", "expected 400, got 200")


def lost(direct: list[Outcome], through: list[Outcome]) -> int:
    runs = [collect("scenario", [("check", outcome) for outcome in leg]) for leg in (direct, through)]
    return sum(row.lost for row in rows(*runs))


@pytest.mark.parametrize("word", ["FAILURE", "SKIPPED", "INFO", "WARNING"])
def test_a_check_that_passes_directly_and_has_any_other_word_through_is_lost(word: str) -> None:
    assert lost([PASS], [Outcome(word)]) == 1


def test_a_check_that_the_run_through_never_reached_is_lost() -> None:
    assert lost([PASS], []) == 1


def test_one_failure_among_checks_of_the_same_id_is_lost() -> None:
    assert lost([PASS, PASS, PASS], [PASS, FAIL, PASS]) == 1


def test_what_fails_directly_too_is_not_lost() -> None:
    assert lost([FAIL, Outcome("SKIPPED")], [FAIL, FAIL]) == 0


def test_a_check_gained_through_does_not_make_up_for_a_lost_one() -> None:
    assert lost([FAIL, PASS], [PASS, FAIL]) == 1


def test_only_passes_and_failures_are_counted() -> None:
    assert tally(collect("scenario", [("a", PASS), ("b", FAIL), ("c", Outcome("INFO"))])) == (1, 1)


def test_the_table_shows_a_lost_check_with_the_reason_the_suite_gave() -> None:
    direct, through = collect("scenario", [("check", PASS)]), collect("scenario", [("check", FAIL)])
    table = "\n".join(lines("2026-07-28", direct, through, rows(direct, through), every=False))
    assert "LOST" in table
    assert FAIL.reason in table
    assert "1 lost" in table


def test_result_folders_of_the_suite_are_read_by_scenario(tmp_path: Path) -> None:
    folder = tmp_path / "server-dns-rebinding-protection-2026-11-21T04-28-45-647Z"
    folder.mkdir()
    checks = [{"id": "a", "status": "SUCCESS"}, {"id": "a", "status": "FAILURE", "errorMessage": "why"}]
    (folder / "checks.json").write_text(json.dumps(checks))
    assert read_results(tmp_path) == {
        CheckKey("dns-rebinding-protection", "a", 1): PASS,
        CheckKey("dns-rebinding-protection", "a", 2): Outcome("FAILURE", "why"),
    }


def test_a_result_folder_named_in_another_way_is_refused_and_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "ping").mkdir()
    (tmp_path / "ping" / "checks.json").write_text("[]")
    with pytest.raises(SuiteError, match="ping"):
        read_results(tmp_path)
