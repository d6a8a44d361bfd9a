"""The reference page shows what is: its generated parts are the ones that would be generated now."""

from benchmarks.masking.matrix import PAGE, renewed


def test_the_matrix_and_the_list_of_rules_are_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    assert renewed(page) == page, "run python -m benchmarks.masking.matrix"
