"""The reference for analysts cannot rot: its queries are the shipped ones, its picture and columns the schema's."""

import re

import pytest

from sinks.sql.fence import FORMATS
from sinks.sql.saved import saved, saved_queries
from sinks.sql.views import VIEWS
from tests.sinks.shared_store import Store
from tests.sql.contract import promised
from tests.sql.pages import COLUMNS, PAGE, WORKED, columns_page, worked_queries

TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sql ([a-z-]+)\n(.*?)\n```", TEXT, re.DOTALL)
LINKS = re.findall(r"^    (v_[a-z_]+) [|o}{-]+ (v_[a-z_]+) : \"([a-z_]+) = ([a-z_]+)\"$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("name", "sql"), BLOCKS, ids=[name for name, _sql in BLOCKS])
def test_a_worked_query_runs_as_the_page_has_it(filled: Store, name: str, sql: str) -> None:
    query = saved(name)
    assert sql == query.sql
    client = filled.address.connect(database="audit")
    client.query(sql, query.values({}))
    client.close()


def test_the_page_has_all_worked_queries_and_at_least_twenty() -> None:
    assert [name for name, _sql in BLOCKS] == sorted(saved_queries().keys() - VIEWS.keys())
    assert len(BLOCKS) >= 20
    match = WORKED.search(TEXT)
    assert match is not None
    assert match[0].strip() == worked_queries().strip(), "run python -m tests.sql.pages"


def test_the_page_of_columns_is_the_schema(filled: Store) -> None:
    assert COLUMNS.read_text(encoding="utf-8") == columns_page(filled.client), "run python -m tests.sql.pages"


@pytest.mark.parametrize(("left", "right", "one", "other"), LINKS)
def test_a_line_of_the_picture_joins_columns_that_are_there(
    left: str, right: str, one: str, other: str
) -> None:
    assert one in promised()[left]
    assert other in promised()[right]


def test_the_picture_has_every_view_that_hangs_together_with_another() -> None:
    drawn = {view for link in LINKS for view in link[:2]}
    alone = {
        "v_admin",
        "v_checkpoints",
        "v_finding_rates",
        "v_retention",
        "v_tool_latency",
        "v_trail_gaps",
        "v_bytes_out",
    }
    assert drawn == promised().keys() - alone


def test_formats_named_on_the_page_are_given() -> None:
    (named,) = re.findall(r"Formats: (.*?)\.", TEXT, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", named)) <= FORMATS
