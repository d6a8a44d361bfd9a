"""The table of operations is large enough, and its page is what it says."""

from tests.kubernetes.sides import operations
from tests.kubernetes.table import FILE, page


def test_the_page_is_the_one_that_the_table_gives() -> None:
    assert FILE.read_text() == page(operations()), "run: python -m tests.kubernetes.table"


def test_there_are_at_least_60_operations_and_each_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in operations()]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


def test_only_operations_in_a_twin_s_own_namespace_are_compared_without_ids_and_versions() -> None:
    reading = [operation for operation in operations() if operation.group == "read"]
    assert not any(operation.changes for operation in reading)
