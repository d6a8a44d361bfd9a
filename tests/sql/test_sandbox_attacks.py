"""Free SQL reads the trail, and nothing else (ABUSE 85): each attack at the door, and the worst behind it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sinks.clickhouse import ClickHouseAddress
from sinks.sql import fence
from sinks.sql.snapshot import take_snapshot
from tests.sinks.shared_store import Store
from tests.sql import attacks
from tests.sql.serving import TOKEN, Served

SECRET = "the-canary-sings"
_DIRECT = """
import sys; sys.path.insert(0, sys.argv.pop(1))
import json
from pathlib import Path
from sinks.sql import child, snapshot_paths
snapshot = snapshot_paths.Snapshot(Path(sys.argv[1]))
child.wall_in(snapshot)
engine = child.Engine(snapshot, "audit")
for line in sys.stdin:
    try:
        said = engine._connection().query(json.loads(line), "TSVRaw").bytes().decode("utf-8", "replace")
    except Exception as exc:
        said = str(exc)
    print(json.dumps(said[:2000]), flush=True)
for name in ("/canary/file", "/etc/passwd", str(snapshot.parts / "x"), str(snapshot.root / "x")):
    try:
        print(json.dumps(open(name.replace("/canary/file", sys.argv[2]), "a+").read()))
    except OSError as exc:
        print(json.dumps(f"refused: {exc.strerror}"))
acts = ("socket.socket()", "os.execv('/bin/true', ['true'])", "os.kill(os.getppid(), 0)", "os.fork() or os._exit(0)")
for act in acts:
    try:
        import os, _socket as socket
        print(json.dumps(f"done: {eval(act)}"))
    except OSError as exc:
        print(json.dumps(f"refused: {exc.strerror}"))
"""


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("canary") / "file"
    file.write_text(SECRET)
    return file


@pytest.fixture(scope="module")
def connection(form: Served) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", form.port, timeout=60)
    yield made
    made.close()


def asked(connection: http.client.HTTPConnection, sql: str, **values: str) -> tuple[int, str]:
    headers = {"X-ClickHouse-User": "mallory", "X-ClickHouse-Key": TOKEN}
    connection.request("POST", f"/?{urlencode(values)}", sql.encode(), headers)
    response = connection.getresponse()
    return response.status, response.read().decode("utf-8", "replace")


@pytest.mark.parametrize("attack", attacks.ALL)
def test_an_attack_is_refused_and_gives_nothing_away(
    connection: http.client.HTTPConnection, canary: Path, attack: str
) -> None:
    limits = {"param_name": "system.users", "max_execution_time": "2", "max_memory_usage": "200000000"}
    status, text = asked(connection, attack.replace(attacks.CANARY, str(canary)), **limits)

    assert SECRET not in text
    assert status >= 400, text
    assert text.startswith("Code: ")


def test_after_all_of_them_it_still_answers_and_the_trail_is_as_it_was(
    connection: http.client.HTTPConnection, filled: Store
) -> None:
    status, text = asked(connection, "SELECT count() FROM v_exchanges WHERE principal = 'ann' FORMAT TSV")
    assert (status, text) == (200, "20\n")
    assert filled.client.query("SELECT count() > 0 FROM audit.frames_stored").result_rows == [(True,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT principal, count() FROM v_exchanges GROUP BY ALL ORDER BY 2 DESC LIMIT 5",
        "WITH t AS (SELECT 1 AS x UNION ALL SELECT 2) SELECT sum(x) FROM t",
        "SELECT countIf(is_error), quantile(0.95)(latency_ms), uniqExactIf(session_id, 1) FROM audit.v_exchanges",
        "SELECT arrayMap(x -> upper(x), ['a']), JSONExtractString('{\"a\":\"b\"}', 'a')",
        "SELECT row_number() OVER (PARTITION BY connection ORDER BY started_at) FROM v_exchanges LIMIT 3",
        "SELECT * EXCEPT (body) FROM v_frames WHERE hasAllTokens(head, 'tools call') LIMIT 1",
        "SELECT 1 INTERSECT SELECT 1",
        "SELECT a.principal FROM v_sessions AS a LEFT JOIN v_findings AS f ON f.session_id = toString(a.session_id)",
        "SELECT toStartOfInterval(started_at, INTERVAL 5 MINUTE) AS t, count() FROM v_exchanges GROUP BY t",
        "SELECT number FROM numbers(3)",
        "DESCRIBE v_frames",
        "EXPLAIN SELECT count() FROM v_frames",
        "SHOW TABLES",
        "SELECT name, comment FROM system.columns WHERE database = 'audit' AND table = 'v_frames'",
        "select 'file(\\'/etc/passwd\\')' as text -- file('/etc/passwd')",
        "SELECT count() FROM v_frames;",
    ],
)
def test_what_analysts_ask_passes(connection: http.client.HTTPConnection, sql: str) -> None:
    status, text = asked(connection, sql)
    assert status == 200, text


def test_without_the_fence_engine_and_walls_still_hold(filled: Store, canary: Path, tmp_path: Path) -> None:
    """As if a statement had deceived the check: the same attacks straight to the engine in its process."""
    address: ClickHouseAddress = filled.address
    snapshot = take_snapshot(
        filled.client, address.path, address.database, address.path.with_suffix(".tested")
    )
    tried = [
        one.replace(attacks.CANARY, str(canary))
        for one in (*attacks.FILES, *attacks.NETWORK, *attacks.CHANGES)
    ]
    tried = [one for one in tried if ";" not in one and "AST" not in one]
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-I", "-c", _DIRECT, root, str(snapshot.root), str(canary)],
        input="".join(json.dumps(one) + "\n" for one in tried),
        capture_output=True, text=True, timeout=100, check=False, env={},
    )  # fmt: skip
    said = [json.loads(line) for line in ran.stdout.splitlines()]
    parts = sorted(str(file) for file in snapshot.parts.rglob("*.bin"))
    snapshot.remove()

    assert len(said) == len(tried) + 8, ran.stderr[-2000:]
    assert SECRET not in ran.stdout
    assert said[-8:-4] == ["refused: Permission denied"] * 4
    assert said[-4:-1] == ["refused: Operation not permitted"] * 3
    assert parts
    assert filled.client.query("SELECT count() > 0 FROM audit.frames_stored").result_rows == [(True,)]


def test_no_column_of_a_view_has_the_name_of_a_refused_function(filled: Store) -> None:
    columns = filled.client.query(
        "SELECT DISTINCT name FROM system.columns WHERE database = 'audit'"
    ).result_rows
    functions = filled.client.query("SELECT lower(name) FROM system.functions").result_rows
    known = fence.Known("audit", frozenset(), frozenset(name for (name,) in functions))
    for (name,) in columns:
        fence._check_identifier(name, known)


def test_no_function_that_reaches_outside_is_among_those_allowed(filled: Store) -> None:
    there = {name.lower() for (name,) in filled.client.query("SELECT name FROM system.functions").result_rows}
    named = {
        "lambda",
        "exists",
        "untuple",
        "grouping",
        "columns",
        "_cast",
    }  # of the parser, or known elsewhere
    assert fence.allowed_functions() - there - named == set()
    outside = (
        "SELECT lower(name) FROM system.functions WHERE categories IN ('AI', 'Dictionary', 'Embedded Dictionary',"
        " 'Encryption', 'Introspection', 'Internal', 'Machine Learning')"
    )
    refused = {name for (name,) in filled.client.query(outside).result_rows}
    assert refused & fence.allowed_functions() == {"casewithexpression", "_cast"}  # what CASE and :: become
