"""Who may use the HTTP form, what it says back, and how long its sandbox lives."""

import http.client
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import lz4.block
import pytest

from sinks.clickhouse import StoreAwayError
from sinks.sql import compressed
from sinks.sql import sandbox as module
from sinks.sql.cityhash import city_hash_128
from sinks.sql.sandbox import Question, Sandbox
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store
from tests.sql.serving import TOKEN, Served

KEY = {"X-ClickHouse-Key": TOKEN}


@pytest.fixture(scope="module")
def connection(form: Served) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", form.port, timeout=60)
    yield made
    made.close()


Answered = tuple[int, dict[str, str], bytes]


def asked(
    connection: http.client.HTTPConnection,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Answered:
    connection.request("POST" if body else "GET", path, body or None, headers if headers is not None else KEY)
    response = connection.getresponse()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


@pytest.mark.parametrize(
    "headers",
    [
        KEY,
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": "Basic " + b64encode(f"ann:{TOKEN}".encode()).decode()},
    ],
)
def test_the_token_is_taken_in_each_way_that_clients_send_a_password(
    connection: http.client.HTTPConnection, headers: dict[str, str]
) -> None:
    assert asked(connection, "/?query=SELECT+1", headers)[::2] == (200, b"1\n")
    assert asked(connection, f"/?query=SELECT+1&user=ann&password={TOKEN}", {})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-ClickHouse-Key": "guessed"},
        {"Authorization": "Basic !"},
        {**KEY, "Host": "rebound.example"},
        {**KEY, "Origin": "https://evil.example"},
        {**KEY, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_nobody_else_and_no_web_page_is_answered(
    connection: http.client.HTTPConnection, headers: dict[str, str]
) -> None:
    status, given, _body = asked(connection, "/?query=SELECT+1", headers)
    assert (status, given["x-clickhouse-exception-code"]) == (403, "516")


def test_an_answer_says_its_format_type_and_that_it_is_not_kept(
    connection: http.client.HTTPConnection,
) -> None:
    path = "/?query=SELECT+1+AS+a+FORMAT+JSONEachRow&query_id=mine&default_format=CSV"
    status, headers, body = asked(connection, path)
    assert (status, body) == (200, b'{"a":1}\n')
    assert headers["content-type"].startswith("application/x-ndjson")
    assert (headers["x-clickhouse-format"], headers["x-clickhouse-query-id"]) == ("JSONEachRow", "mine")
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert int(json.loads(headers["x-clickhouse-summary"])["elapsed_ns"]) > 0


def test_it_answers_pings_without_a_password_and_nothing_else(connection: http.client.HTTPConnection) -> None:
    assert asked(connection, "/ping", {})[::2] == (200, b"Ok.\n")
    assert asked(connection, "/", KEY)[::2] == (200, b"Ok.\n")
    assert asked(connection, "/", {})[0] == 403


def test_a_statement_may_come_compressed_and_never_unpacks_without_end(
    connection: http.client.HTTPConnection,
) -> None:
    for coding in ("gzip", "lz4"):
        body = compressed.packed(b"SELECT 2", coding)
        assert asked(connection, "/", {**KEY, "Content-Encoding": coding}, body)[::2] == (200, b"2\n")
    bomb = compressed.packed(b" " * 50_000_000, "gzip")
    assert asked(connection, "/", {**KEY, "Content-Encoding": "gzip"}, bomb)[0] == 403
    assert asked(connection, "/", KEY, b"x" * 1_100_000)[0] == 400


@pytest.mark.parametrize(
    "name", ["readonly_", "allow_introspection_functions", "format_schema", "additional_table_filters"]
)
def test_a_setting_that_could_open_something_is_refused(
    connection: http.client.HTTPConnection, name: str
) -> None:
    status, _headers, body = asked(connection, f"/?query=SELECT+1&{name}=1")
    assert (status, f"the setting {name} is not available here" in body.decode()) == (403, True)


def test_another_database_is_refused_and_default_means_the_trail(
    connection: http.client.HTTPConnection,
) -> None:
    assert asked(connection, "/?database=default&query=SELECT+count()+FROM+v_admin")[0] == 200
    assert asked(connection, "/?database=system&query=SELECT+1")[0] == 403


def test_clickhouses_own_blocks_carry_their_checksum(connection: http.client.HTTPConnection) -> None:
    _status, _headers, body = asked(connection, "/?compress=1&query=SELECT+number+FROM+numbers(3)")
    low, high = (int.from_bytes(body[at : at + 8], "little") for at in (0, 8))
    assert (low, high) == city_hash_128(body[16:])
    assert lz4.block.decompress(body[25:], uncompressed_size=6) == b"0\n1\n2\n"


@pytest.mark.parametrize(
    ("data", "low", "high"),
    [  # as the version that ClickHouse bundles gives them
        (b"", 0x3CB540C392E51E29, 0x3DF09DFC64C09A2B),
        (b"abc", 0x13A9176355B20D7E, 0x900FF195577748FE),
        (b"0123456789", 0x26998264D5283DA9, 0xC971B4BE71AEFFA5),
        (bytes(range(20)), 0xDE11879A038CE2B2, 0x214943DC5686650F),
        (bytes(range(100)), 0x92D5FDF90B6D0EF9, 0x836AD9510A7189D4),
        (bytes(range(256)) * 3, 0x05E7FD5CCC5ECC0F, 0xDFE5F9B62AC65971),
    ],
)
def test_the_checksum_is_that_of_the_published_version(data: bytes, low: int, high: int) -> None:
    assert set(city_hash_128(data)) == {low, high}


async def test_what_it_looks_at_is_never_older_than_told_and_goes_when_nobody_asks(filled: Store) -> None:
    sandbox = Sandbox(filled.address, fresh_s=0.0, idle_s=0.5)
    who, folder = f"fresh-{uuid4()}", filled.address.path.with_suffix(".look")
    question = Question(f"SELECT count() FROM v_exchanges WHERE principal = '{who}'", "TSV")
    before = len(list(folder.iterdir())) if folder.exists() else 0

    first = await sandbox.ask(question)
    trail = Trail(lane=who)
    trail.exchange(principal_subject=who)
    fill(filled.client, trail.values)
    second = await sandbox.ask(question)
    assert (first.body, second.body) == (b"0\n", b"1\n")
    assert len(list(folder.iterdir())) == before + 1

    await sandbox.asleep()
    assert len(list(folder.iterdir())) == before
    await sandbox.close()


async def test_a_sandbox_that_cannot_be_walled_in_answers_nothing(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails closed: a kernel without Landlock is told, and no engine is started."""
    broken = module._START.replace(
        "from sinks.sql.child import main",
        "import sinks.sql.walls as w; w._LANDLOCK_CREATE = 100_000; from sinks.sql.child import main",
    )
    monkeypatch.setattr(module, "_START", broken)
    sandbox = Sandbox(filled.address)
    with pytest.raises(StoreAwayError, match="this kernel has no Landlock"):
        await sandbox.ask(Question("SELECT 1"))
    await sandbox.close()
