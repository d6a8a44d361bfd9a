"""The views are a contract: nothing of them changes unnoticed, and each says what it means."""

import pytest

from tests.sinks.shared_store import Store, embedded_store
from tests.sql.contract import promised, views

# One of each kind of question that an analyst has.
TWELVE = (
    "v_sessions",
    "v_exchanges",
    "v_denied_calls",
    "v_first_tools",
    "v_sensitive_requests",
    "v_redactions",
    "v_approvals",
    "v_tool_latency",
    "v_bytes_out",
    "v_granted_unused",
    "v_trail_gaps",
    "v_retention",
)


@pytest.fixture
def store() -> Store:
    return embedded_store()


def test_the_views_their_columns_and_types_are_those_of_the_committed_contract(store: Store) -> None:
    assert views(store.client) == promised(), (
        "a view changed: analysts' queries stand on it. If it must, write the change into CHANGELOG.md and"
        " run python -m tests.sql.contract"
    )


def test_the_twelve_views_for_analysts_are_there() -> None:
    assert set(TWELVE) <= promised().keys()


def test_every_view_and_every_column_of_it_says_what_it_is(store: Store) -> None:
    columns = "SELECT table, name FROM system.columns WHERE database = 'audit' AND table LIKE 'v\\_%'"
    silent = store.client.query(f"{columns} AND comment = ''").result_rows
    tables = "SELECT name FROM system.tables WHERE database = 'audit' AND comment = ''"
    assert (silent, store.client.query(f"{tables} AND name LIKE 'v\\_%'").result_rows) == ([], [])


def test_every_row_that_has_an_exchange_or_a_session_of_its_own_says_where_to_see_it() -> None:
    for view in (*TWELVE[:7], "v_frames", "v_findings", "v_kubernetes"):
        assert "replay_url" in promised()[view], view
