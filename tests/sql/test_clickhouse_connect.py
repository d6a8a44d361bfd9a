"""clickhouse-connect works against the HTTP form as it does against a server."""

import uuid

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from tests.sql.conftest import SESSION
from tests.sql.serving import TOKEN, Served


@pytest.fixture(scope="module")
def client(form: Served):
    made = clickhouse_connect.get_client(host="127.0.0.1", port=form.port, username="ann", password=TOKEN)
    yield made
    made.close()


def test_it_greets_and_is_told_version_and_time_zone(client) -> None:
    assert client.ping()
    assert client.server_version.startswith("26.")
    assert str(client.server_tz) in ("UTC", "Etc/UTC")


def test_rows_come_as_typed_columns_with_parameters_bound_by_the_engine(client) -> None:
    found = client.query(
        "SELECT session_id, exchanges, started_at FROM v_sessions WHERE principal = {who:String}",
        parameters={"who": "ann"},
    )
    ((session, exchanges, started),) = found.result_rows
    assert (session, exchanges, started.year) == (SESSION, 20, 2026)
    assert isinstance(session, uuid.UUID)


def test_a_parameter_is_never_read_as_sql(client) -> None:
    question = "SELECT count() FROM v_sessions WHERE principal = {who:String}"
    assert client.query(question, {"who": "ann' OR '1'='1"}).result_rows == [(0,)]


@pytest.mark.parametrize("compress", [True, False, "lz4", "gzip"])
def test_answers_are_the_same_whatever_their_compression(form: Served, compress: bool | str) -> None:
    made = clickhouse_connect.get_client(
        host="127.0.0.1", port=form.port, username="x", password=TOKEN, compress=compress
    )
    try:
        assert made.query("SELECT sum(number) FROM numbers(100000)").result_rows == [(4_999_950_000,)]
        assert len(made.query("SELECT number, toString(number) FROM numbers(70000)").result_rows) == 70_000
    finally:
        made.close()


def test_a_raw_query_gives_the_format_that_was_asked_for(client) -> None:
    assert client.raw_query("SELECT 1 AS a, 'x' AS b", fmt="CSVWithNames") == b'"a","b"\n1,"x"\n'
    assert client.raw_query("SELECT 1 AS a", fmt="Parquet")[:4] == b"PAR1"


def test_limits_may_be_lowered_and_never_raised(client) -> None:
    with pytest.raises(DatabaseError, match="Limit for result"):
        client.query(
            "SELECT number FROM numbers(1000)", settings={"max_result_rows": 10, "max_block_size": 10}
        )
    with pytest.raises(DatabaseError, match="shouldn't be greater"):
        client.query("SELECT 1", settings={"max_memory_usage": 1 << 40})


def test_a_wrong_statement_is_answered_with_the_engines_code(client) -> None:
    with pytest.raises(DatabaseError, match="nosuch") as caught:
        client.query("SELECT nosuch FROM v_sessions")
    assert caught.value.code == 47


def test_without_the_token_nothing_is_answered(form: Served) -> None:
    with pytest.raises(ClickHouseError, match="token"):
        clickhouse_connect.get_client(host="127.0.0.1", port=form.port, username="ann", password="guessed")
