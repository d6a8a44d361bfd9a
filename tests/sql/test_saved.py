"""Saved queries run as they are shipped, take parameters and nothing else, and are exported safely (ABUSE 84)."""

import csv
import io
import json
from pathlib import Path
from uuid import uuid4

import pytest

from sinks.readers import ReadError
from sinks.sql.client import OwnerAnalyst
from sinks.sql.direct import EXPORTS, Direct
from sinks.sql.safe_csv import safe_csv
from sinks.sql.saved import SavedError, saved, saved_queries
from sinks.sql.views import TIMES, VIEWS
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store
from tests.sql.contract import promised
from tests.sql.serving import Served


def test_every_view_is_a_saved_query_and_so_are_twenty_worked_ones() -> None:
    assert VIEWS.keys() == TIMES.keys() == promised().keys()
    assert len(saved_queries().keys() - VIEWS.keys()) >= 20


@pytest.mark.parametrize("name", sorted(saved_queries()))
async def test_it_runs_with_its_defaults(filled: Store, name: str) -> None:
    direct = Direct(filled.address)
    answer = await direct.run(saved(name), {}, "json")
    await direct.close()
    assert answer.error == ""
    for line in answer.body.splitlines():
        json.loads(line)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_a_view_is_narrowed_by_the_columns_that_it_has(name: str) -> None:
    moment, columns = TIMES[name]
    there = promised()[name].keys()
    assert {*columns, *([moment] if moment else [])} <= there
    assert set(columns) == {"connection", "principal"} & there - {"principal"} | (
        {"principal"} & set(columns)
    )


async def test_parameters_are_values_and_never_sql(filled: Store) -> None:
    direct = Direct(filled.address)
    found = await direct.run(saved("v_sessions"), {"principal": "ann"}, "json")
    nothing = await direct.run(saved("v_sessions"), {"principal": "' OR 1=1 --"}, "json")
    wrong = await direct.run(saved("v_sessions"), {"limit": "1 UNION ALL SELECT 1"}, "json")
    await direct.close()

    assert [json.loads(line)["exchanges"] for line in found.body.splitlines()] == [20]
    assert (nothing.code, nothing.body) == (0, b"")
    assert wrong.code != 0


def test_a_parameter_that_a_query_does_not_take_is_told() -> None:
    with pytest.raises(SavedError, match="takes no day; it takes days"):
        saved("denied-calls").values({"day": "3"})
    with pytest.raises(SavedError, match="perhaps denied-calls"):
        saved("denied")


async def test_a_text_that_a_spreadsheet_would_run_is_exported_as_text(filled: Store) -> None:
    name, trail = f"=cmd|'/c calc'!A1 {uuid4()}", Trail(lane=f"formula-{uuid4()}")
    trail.exchange(tool=name, principal_subject="@SUM(1)", connection='+1","=2')
    fill(filled.client, trail.values)
    direct = Direct(filled.address)
    answer = await direct.run(saved("v_first_tools"), {"principal": "@SUM(1)"}, "csv")
    await direct.close()

    (row,) = csv.DictReader(io.StringIO(answer.body.decode()))

    assert (row["tool"], row["principal"], row["connection"]) == (f"'{name}", "'@SUM(1)", '\'+1","=2')
    assert row["calls"] == "1"


@pytest.mark.parametrize(
    ("field", "safe"),
    [
        (b'"=1+1"', b'"\'=1+1"'),
        (b'"+1"', b'"\'+1"'),
        (b'"-1"', b'"\'-1"'),
        (b'"@x"', b'"\'@x"'),
        (b'"\t=1"', b'"\'\t=1"'),
        (b'"  =1"', b'"\'  =1"'),
        (b'"\r=1"', b'"\'\r=1"'),
        ('"＝1"'.encode(), '"\'＝1"'.encode()),
        (b'"a=1"', b'"a=1"'),
        (b"-1", b"-1"),
        (b'"""=1"', b'"""=1"'),
        (b'"a""","=b"', b'"a""","\'=b"'),
        (b'"a\n=b"', b'"a\n=b"'),
        (b'""', b'""'),
    ],
)
def test_only_what_begins_a_formula_is_marked(field: bytes, safe: bytes) -> None:
    assert safe_csv(field) == safe


async def test_exports_are_written_by_the_engine_and_read_again(
    filled: Store, form: Served, tmp_path: Path
) -> None:
    body = await form.analyst.saved("v_sessions", {"principal": "ann"}, "parquet")
    file = tmp_path / "sessions.parquet"
    file.write_bytes(body)

    found = filled.client.query(
        "SELECT principal, exchanges FROM file({f:String}, 'Parquet')", {"f": str(file)}
    )

    assert found.result_rows == [("ann", 20)]
    assert set(EXPORTS) == {"csv", "json", "parquet"}


async def test_free_sql_is_exported_in_the_same_forms(form: Served) -> None:
    sql, given = "SELECT '=1' AS a, {x:UInt8} AS b", {"x": "7"}
    assert await form.analyst.free(sql, given, "csv") == b'"a","b"\n"\'=1",7\n'
    assert await form.analyst.free(sql, given, "json") == b'{"a":"=1","b":7}\n'
    assert (await form.analyst.free(sql, given, "parquet"))[:4] == b"PAR1"


async def test_what_is_refused_is_told_in_words(form: Served) -> None:
    with pytest.raises(ReadError, match=r"file\(\) is not available here"):
        await form.analyst.free("SELECT file('/etc/passwd')", {}, "json")
    with pytest.raises(ReadError, match="there is no saved query 'nothing'"):
        await form.analyst.saved("nothing", {}, "json")


async def test_without_the_token_there_are_no_saved_queries(form: Served, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("guessed")
    with pytest.raises(ReadError) as refused:
        await OwnerAnalyst(form.url, wrong).saved("v_sessions", {}, "json")
    assert refused.value.status == 401
