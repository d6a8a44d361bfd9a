"""Saved queries and free SQL from the command line, against a store that answers."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sluicegate.cli.app import app
from tests.sql.conftest import SESSION
from tests.sql.serving import TOKEN, Served

_CONFIG = """\
data_dir: {data}
console: {{listen: "127.0.0.1:{port}"}}
kafka: {{bootstrap: embedded}}
clickhouse: {{dsn: embedded}}
identity: {{mode: none}}
connections:
  - {{name: demo, kind: mcp, upstream: "http://127.0.0.1:9000/mcp"}}
"""


@pytest.fixture
def config(form: Served, tmp_path: Path) -> Path:
    run = tmp_path / "data" / "run"
    run.mkdir(parents=True)
    (run / "query.token").write_text(TOKEN)
    file = tmp_path / "sluicegate.yaml"
    file.write_text(_CONFIG.format(data=tmp_path / "data", port=form.port))
    return file


def sluicegate(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(config)])


def test_a_saved_query_is_printed_and_exported(config: Path, tmp_path: Path) -> None:
    asked = ("queries", "run", "v_sessions", "--param", "principal=ann")
    tools = sluicegate(config, "queries", "run", "tools-by-use", "--param", "days=3000").stdout
    assert ["asked", "get_pod", "20"] in [line.split()[:3] for line in tools.splitlines()]
    (row,) = [json.loads(line) for line in sluicegate(config, *asked, "--format", "json").stdout.splitlines()]
    assert (row["session_id"], row["exchanges"], row["started_at"][-1]) == (str(SESSION), 20, "Z")

    file = tmp_path / "sessions.csv"
    done = sluicegate(config, *asked, "--format", "csv", "--output", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    (line,) = csv.DictReader(io.StringIO(file.read_text()))
    assert line["principal"] == "ann"


def test_free_sql_takes_parameters_and_is_exported(config: Path, tmp_path: Path) -> None:
    sql = "SELECT count() AS n FROM v_exchanges WHERE principal = {who:String}"
    assert sluicegate(config, "query", sql, "-p", "who=ann", "--json").stdout == '{"n": 20}\n'
    file = tmp_path / "n.parquet"
    sluicegate(config, "query", sql, "-p", "who=ann", "-f", "parquet", "-o", str(file))
    assert file.read_bytes()[:4] == b"PAR1"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("query", "SELECT file('/etc/passwd')"), 1, "file() is not available here"),
        (("query", "DROP TABLE frames_stored"), 1, "only reading is possible here"),
        (("queries", "run", "nothing"), 1, "there is no saved query 'nothing'"),
        (("queries", "run", "denied-calls", "-p", "day=3"), 1, "takes no day; it takes days"),
        (("queries", "run", "denied-calls", "-p", "days"), 2, "write NAME=VALUE"),
        (("query", "SELECT 1", "-o", "x"), 2, "a table is for people"),
        (("queries", "access"), 2, "the embedded store has no users"),
    ],
)
def test_what_cannot_be_done_is_said(config: Path, words: tuple[str, ...], code: int, told: str) -> None:
    result = sluicegate(config, *words)
    assert (result.exit_code, told in result.stderr) == (code, True), result.stderr


def test_what_steers_a_terminal_is_shown_and_not_sent(config: Path) -> None:
    sql = "SELECT concat(char(27), '[31m', unhex('E280AE'), 'x') AS a"
    shown = sluicegate(config, "query", sql).stdout
    assert "\\x1b[31m\\u202ex" in shown
    as_json = sluicegate(config, "query", sql, "--json").stdout
    assert json.loads(as_json) == {"a": "\x1b[31m\u202ex"}
    assert as_json.isascii()


def test_queries_are_listed_and_shown_without_a_store() -> None:
    listed = CliRunner().invoke(app, ["queries", "list", "--json"]).stdout.splitlines()
    assert {"denied-calls", "v_sessions"} <= {json.loads(line)["name"] for line in listed}
    shown = CliRunner().invoke(app, ["queries", "show", "denied-calls"]).stdout
    assert "--param days=7  (UInt16) how many days back" in shown
    assert "FROM v_denied_calls" in shown
