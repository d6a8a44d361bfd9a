"""What lists look into says of every exchange what the published view says, however its frames came."""

import random
from typing import Any
from uuid import uuid4

import pytest

from sinks.exchange_queries import EXCHANGE_COLUMNS, SESSION_COLUMNS
from sinks.indexing import index_again
from sinks.migrate import migrations
from tests.sinks.filling import fill
from tests.sinks.records import Trail, identifier
from tests.sinks.shared_store import Store

SAID = (
    "exchange_id, session_id, started_at, ended_at, connection, protocol, principal, principal_issuer, method, tool,"
    " resource, verdict, outcome, is_error, latency_ms, parent_exchange_id"
)
INDEX = (
    f"SELECT {SAID}, redacted FROM audit.exchanges_index FINAL"
    " WHERE exchange_id IN {ids:Array(UUID)} ORDER BY 1"
)
VIEW = (
    f"SELECT {SAID}, redactions > 0 AS redacted FROM audit.v_exchanges"
    " WHERE exchange_id IN {ids:Array(UUID)} ORDER BY 1"
)
SECRET = {"path": "/x", "rule": "r", "start": 0, "end": 3, "pseudonym": "abc"}
ANSWERS: list[dict[str, Any]] = [
    {"outcome": "completed", "http_status": 200},
    {"outcome": "completed", "http_status": 200, "jsonrpc_error": -32601},
    {"outcome": "completed", "http_status": 200, "tool_is_error": True},
    {"outcome": "completed", "http_status": 200, "tool_is_error": False, "redactions": [SECRET]},
    {"outcome": "refused", "http_status": 403, "verdict": "deny"},
    {"outcome": "timed_out", "http_status": 503, "verdict": "hold"},
    {"outcome": "upstream_failed", "http_status": 502},
    {"outcome": "withheld"},
    {"outcome": "client_gone", "direction": "end"},
    {},
]


def conversations(seed: int) -> tuple[Trail, list[str]]:
    """Exchanges of every kind: one frame to several, ending and not, some that change their session or verdict."""
    chance, trail = random.Random(seed), Trail(lane=f"index-{seed}-{uuid4()}")
    exchanges = []
    for number in range(60):
        exchanges.append(str(uuid4()))
        facts = {
            "exchange_id": exchanges[-1],
            "connection": f"c{number // 7}",
            "tool": f"t{number % 5}",
            "verdict": chance.choice(["none", "allow", "hold"]),
        }
        first, second = identifier(seed * 1000 + number // 7), identifier(seed * 1000 + 500 + number // 7)
        trail.frame(b"{}", **{**facts, "session_id": first})
        answering = chance.choice([first, first, second])  # as where an answer names the session
        for step in range(chance.randint(0, 3)):
            answer = {"direction": "response", "elapsed_us": 10 + step, **chance.choice(ANSWERS)}
            trail.frame(b"{}", **{**facts, "session_id": answering, **answer})
    return trail, exchanges


@pytest.mark.parametrize("seed", range(3))
def test_every_exchange_is_said_to_be_what_the_view_says(store: Store, seed: int) -> None:
    trail, exchanges = conversations(seed)
    chance = random.Random(seed)
    pieces = sorted(chance.sample(range(len(trail.values)), 6))
    for first, last in zip([0, *pieces], [*pieces, len(trail.values)], strict=True):
        if first < last:
            fill(store.client, trail.values[first:last], first=first)
    fill(store.client, trail.values, first=5_000)  # all of them again, at other offsets
    fill(store.client, trail.values[:9], first=0)

    def said(sql: str) -> list[Any]:
        return list(store.client.query(sql, {"ids": exchanges}).result_rows)

    expected = said(VIEW)
    assert len(expected) == len(exchanges)
    assert said(INDEX) == expected
    store.client.command("OPTIMIZE TABLE audit.exchanges_index FINAL")
    assert said(INDEX) == expected


def test_what_was_stored_before_the_index_was_there_is_found_and_a_second_run_doubles_nothing(
    store: Store,
) -> None:
    trail, exchanges = conversations(77)
    fill(store.client, trail.values)
    steps = [migration for migration in migrations() if migration.number in (13, 16)]
    masked = "SELECT sum(redactions) FROM audit.redactions_index FINAL WHERE startsWith(lane, 'index-77')"
    values = {"ids": exchanges}
    expected = store.client.query(VIEW, values).result_rows
    redactions = store.client.query(masked).result_rows
    assert redactions[0][0] > 0

    for table in ("exchanges_index", "redactions_index", "sessions_index"):
        store.client.command(f"TRUNCATE TABLE audit.{table}")
    for _ in range(2):
        for statement in (statement for step in steps for statement in step.statements("audit")):
            store.client.command(statement)
        assert store.client.query(INDEX, values).result_rows == expected
        assert store.client.query(masked).result_rows == redactions
        spans = (
            "SELECT session_id, min(first_at), max(last_at) FROM audit.sessions_index GROUP BY 1 ORDER BY 1"
        )
        stored = spans.replace("first_at", "recorded_at").replace("last_at", "recorded_at")
        stored = stored.replace("sessions_index", "frames_stored")
        assert store.client.query(spans).result_rows == store.client.query(stored).result_rows


def test_a_batch_whose_index_was_not_written_any_more_is_indexed_when_it_is_sent_again(store: Store) -> None:
    trail, exchanges = conversations(99)
    fill(store.client, trail.values, first=70_000)
    expected = store.client.query(INDEX, {"ids": exchanges}).result_rows
    forget(store, exchanges)

    fill(store.client, trail.values, first=70_000)

    assert store.client.query(INDEX, {"ids": exchanges}).result_rows == expected
    stored = store.client.query(
        "SELECT count() FROM audit.frames_stored WHERE lane = {lane:String}", {"lane": trail.lane}
    )
    assert stored.result_rows == [(len(trail.values),)]


def test_frames_stored_last_whose_index_was_not_written_any_more_are_indexed_at_the_next_start(
    store: Store,
) -> None:
    trail, exchanges = conversations(55)
    fill(store.client, trail.values, first=90_000)
    expected = store.client.query(INDEX, {"ids": exchanges}).result_rows
    forget(store, exchanges)

    index_again(store.client, "audit")

    assert store.client.query(INDEX, {"ids": exchanges}).result_rows == expected


def forget(store: Store, exchanges: list[str]) -> None:
    """Takes exchanges out of the index, as if it had never been written."""
    gone = "ALTER TABLE audit.exchanges_index DELETE WHERE exchange_id IN {ids:Array(UUID)}"
    store.client.command(gone, {"ids": exchanges}, settings={"mutations_sync": 1})
    assert store.client.query(INDEX, {"ids": exchanges}).result_rows == []


def test_what_the_reader_puts_together_is_what_the_views_publish() -> None:
    published: dict[str, str] = {}
    for migration in migrations():
        for statement in migration.statements("audit"):
            for view in ("v_exchanges", "v_sessions"):
                if statement.startswith(f"CREATE OR REPLACE VIEW `audit`.{view}\n"):
                    published[view] = squeezed(statement.split("AS SELECT", 1)[1])
    assert squeezed(EXCHANGE_COLUMNS) in published["v_exchanges"]
    denied = "countIf(e.verdict IN ('deny', 'hold'))"
    assert squeezed(SESSION_COLUMNS) in published["v_sessions"]
    assert squeezed(denied) in published["v_sessions"]


def squeezed(sql: str) -> str:
    return "".join(sql.split())
