"""What analysts read is exact: one row a frame, an exchange, a session, whatever lies in the table."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from sinks.readers import FrameFilter, ReadError, Session, SessionFilter
from sinks.sql_reader import SqlReader
from tests.sinks.filling import fill
from tests.sinks.records import START_US, Trail
from tests.sinks.shared_store import Store


def rows(store: Store, sql: str, **values: Any) -> list[dict[str, Any]]:
    return list(store.client.query(sql, values).named_results())


def test_copies_of_a_frame_count_once_and_the_first_stored_stays(store: Store) -> None:
    trail, session = Trail(lane="copies"), str(uuid4())
    exchange = trail.exchange(session_id=session)
    fill(store.client, trail.values, partition=0, first=10)
    trail.offset = 900  # the gateway sent them again: the same frames at other source positions
    fill(store.client, trail.values, partition=0, first=50)

    frames = rows(store, "SELECT k_offset FROM audit.v_frames WHERE session_id = {s:UUID}", s=session)
    assert sorted(row["k_offset"] for row in frames) == [10, 11]
    (found,) = rows(store, "SELECT * FROM audit.v_exchanges WHERE exchange_id = {e:UUID}", e=exchange)
    assert (found["frames"], found["request_bytes"], found["response_bytes"]) == (2, 23, 13)
    (whole,) = rows(store, "SELECT * FROM audit.v_sessions WHERE session_id = {s:UUID}", s=session)
    assert (whole["frames"], whole["exchanges"]) == (2, 1)

    store.client.command("OPTIMIZE TABLE audit.frames_stored FINAL")
    kept = rows(store, "SELECT k_offset FROM audit.frames_stored WHERE session_id = {s:UUID}", s=session)
    assert sorted(row["k_offset"] for row in kept) == [10, 11]


def test_an_exchange_ends_as_its_latest_terminal_frame_says(store: Store) -> None:
    trail, ids = Trail(lane="ends"), {"exchange_id": str(uuid4()), "session_id": str(uuid4())}
    trail.frame(**ids)
    trail.frame(direction="response", http_status=200, elapsed_us=2000, outcome="completed", **ids)
    trail.frame(direction="end", elapsed_us=3000, outcome="client_gone", reason="the client went", **ids)
    trail.frame(direction="response", elapsed_us=3000, **ids)  # pending, and later: it overrules nothing
    fill(store.client, trail.values)

    (found,) = rows(store, "SELECT * FROM audit.v_exchanges WHERE exchange_id = {exchange_id:UUID}", **ids)

    assert (found["outcome"], found["http_status"], found["reason"]) == (
        "client_gone",
        200,
        "the client went",
    )
    assert found["is_error"]
    assert (found["latency_ms"], found["first_response_ms"]) == (3.0, 2.0)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ({"http_status": 200}, ("completed", 200, None, None, False)),
        ({"http_status": 502, "outcome": "upstream_failed"}, ("upstream_failed", 502, None, None, True)),
        ({"http_status": 200, "jsonrpc_error": -32601}, ("completed", 200, -32601, None, True)),
        ({"http_status": 200, "tool_is_error": True}, ("completed", 200, None, True, True)),
        ({"http_status": 200, "tool_is_error": False}, ("completed", 200, None, False, False)),
        ({"http_status": 403, "verdict": "deny", "outcome": "refused"}, ("refused", 403, None, None, False)),
    ],
)
def test_the_three_outcomes_stay_apart(store: Store, answer: dict[str, Any], shown: tuple[Any, ...]) -> None:
    trail, ids = Trail(lane=f"out-{uuid4()}"), {"exchange_id": str(uuid4()), "session_id": str(uuid4())}
    trail.frame(**ids)
    trail.frame(**{"direction": "response", "elapsed_us": 10, "outcome": "completed", **answer, **ids})
    fill(store.client, trail.values)

    (found,) = rows(store, "SELECT * FROM audit.v_exchanges WHERE exchange_id = {exchange_id:UUID}", **ids)

    assert shown == (
        found["outcome"],
        found["http_status"],
        found["jsonrpc_error"],
        found["tool_is_error"],
        found["is_error"],
    )


def test_an_exchange_without_an_end_is_pending(store: Store) -> None:
    trail, session = Trail(lane="pending"), str(uuid4())
    trail.frame(session_id=session)
    fill(store.client, trail.values)

    (found,) = rows(store, "SELECT * FROM audit.v_sessions WHERE session_id = {s:UUID}", s=session)

    assert (found["exchanges"], found["pending"], found["errors"]) == (1, 1, 0)


async def test_a_frame_in_parts_is_one_row_with_its_whole_body(store: Store) -> None:
    trail = Trail(lane="parts")
    ids = {"frame_id": str(uuid4()), "exchange_id": str(uuid4()), "session_id": str(uuid4()), "parts": 3}
    moment = trail.started_us + 500_000
    secret = {"path": "/x", "rule": "r", "start": 0, "end": 3, "pseudonym": "abc"}
    for number, piece in enumerate((b"one ", b"two ", b"three"), 1):
        trail.frame(
            piece, **ids, part=number, recorded_at=moment, body_bytes=13, redactions=[secret] * number
        )
    fill(store.client, [*trail.values, *trail.values[1:]])

    (row,) = rows(store, "SELECT * FROM audit.v_frames WHERE frame_id = {frame_id:UUID}", **ids)
    assert (row["body"], row["parts"], row["parts_stored"], len(row["redactions"])) == (
        "one two three",
        3,
        3,
        6,
    )
    (found,) = rows(store, "SELECT * FROM audit.v_exchanges WHERE exchange_id = {exchange_id:UUID}", **ids)
    assert (found["frames"], found["request_bytes"], found["redactions"]) == (1, 13, 6)

    reader = SqlReader(store.address)
    (frame,) = await reader.frames(FrameFilter(session=str(ids["session_id"])), 1)
    assert (frame["body"], frame["parts_stored"], len(frame["redactions"])) == ("one two three", 3, 6)
    await reader.close()


async def test_a_session_holds_the_initialize_request_that_was_recorded_before_its_id_was_known(
    store: Store,
) -> None:
    provisional, real, other = (str(uuid4()) for _ in range(3))
    asking, answering = Trail(lane="asking", started_us=START_US - 9_000_000), Trail(lane="answering")
    for session in (real, other):
        ids = {"exchange_id": str(uuid4()), "method": "initialize"}
        asking.frame(b"initialize", session_id=provisional, **ids)
        done = {"outcome": "completed", "http_status": 200, "elapsed_us": 900}
        answering.frame(direction="response", session_id=session, **done, **ids)
        answering.exchange(session_id=session, tool="list_pods")
    fill(store.client, asking.values, partition=1)
    fill(store.client, answering.values, partition=2)
    reader = SqlReader(store.address)

    listed = {row["session_id"]: row for row in await reader.sessions(SessionFilter(), 1000)}

    assert provisional not in listed
    assert (listed[real]["exchanges"], listed[real]["frames"]) == (2, 4)
    assert await reader.session(provisional) is None
    frames = await reader.frames(FrameFilter(session=real), 100)
    assert [(f["method"], f["direction"]) for f in frames] == [
        ("initialize", "request"),
        ("initialize", "response"),
        ("tools/call", "request"),
        ("tools/call", "response"),
    ]
    assert len(await reader.frames(FrameFilter(session=provisional), 100)) == 4
    shown = rows(store, "SELECT session_id FROM audit.v_sessions")
    assert UUID(provisional) not in {row["session_id"] for row in shown}
    await reader.close()


async def test_the_session_list_equals_the_published_view(store: Store) -> None:
    mine = SessionFilter(connection=f"equal-{uuid4()}")
    for number in range(6):
        trail = Trail(lane=f"equal-{number}", started_us=1_791_000_000_000_000 + number)
        session = str(uuid4())
        for verdict in ("allow", "deny", "hold", "allow"):
            trail.exchange(
                session_id=session,
                verdict=verdict,
                principal_subject=f"p{number}",
                connection=mine.connection,
            )
        trail.frame(
            session_id=session, redactions=[], principal_subject=f"p{number}", connection=mine.connection
        )
        fill(store.client, trail.values)
    reader = SqlReader(store.address)

    listed = await reader.sessions(mine, 1000)
    shown = await reader.query(
        f"SELECT * EXCEPT replay_url FROM audit.v_sessions WHERE connection = '{mine.connection}'"
    )

    published = [dict(zip(shown.columns, row, strict=True)) for row in shown.rows]
    assert sorted(map(str, listed)) == sorted(
        str({name: row[name] for name in Session.__annotations__}) for row in published
    )
    assert [row["denied"] for row in await reader.sessions(replace(mine, principal="p3"), 5)] == [2]
    assert len(await reader.sessions(mine, 2)) == 2
    await reader.close()


async def test_frames_are_found_by_word_by_time_and_by_what_they_were(store: Store) -> None:
    trail, session = Trail(lane="words", started_us=1_792_000_000_000_000), str(uuid4())
    trail.frame(b'{"name":"Zanzibar-quagga","n":1}', session_id=session, tool="apply", method="tools/call")
    trail.frame(b"\xff\xfe zanzibar", session_id=session, direction="response", http_status=200)
    trail.frame(b"x" * 65_536 + b" okapi", session_id=session)
    fill(store.client, trail.values)
    reader = SqlReader(store.address)

    async def found(**wanted: Any) -> list[int]:
        return [f["lane_seq"] for f in await reader.frames(FrameFilter(**wanted), 10) if f["lane"] == "words"]

    assert await found(text="zanzibar") == [1, 2]
    assert await found(text="ZANZIBAR quagga") == [1]
    assert await found(text="okapi") == []  # beyond the first 64 KB, as the documentation says
    assert await found(session=session, direction="response") == [2]
    assert await found(
        session=session, since="2026-10-14T17:46:40.002Z", until="2026-10-14T17:46:40.003Z"
    ) == [2]
    assert await found(session=session, tool="apply", method="tools/call") == [1]
    assert [f["lane_seq"] for f in await reader.frames(FrameFilter(session=session, newest=True), 2)] == [
        2,
        3,
    ]
    (binary,) = await reader.frames(FrameFilter(session=session, direction="response"), 5)
    assert (binary["body"], binary["body_base64"]) == ("//4gemFuemliYXI=", True)
    await reader.close()


async def test_a_free_query_is_bounded_and_cannot_write(store: Store) -> None:
    reader = SqlReader(store.address)

    assert (await reader.query("SELECT 1 AS one, 2 AS two")).columns == [
        "one",
        "two",
    ]
    with pytest.raises(ReadError, match="Limit for result exceeded"):
        await reader.query("SELECT number FROM system.numbers")
    with pytest.raises(ReadError, match="only reading"):
        await reader.query("TRUNCATE TABLE audit.frames_stored")
    with pytest.raises(ReadError, match="nope"):
        await reader.query("SELECT nope FROM v_frames")
    await reader.close()
