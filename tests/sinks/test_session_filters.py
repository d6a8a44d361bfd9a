"""Sessions are found by what happened in one exchange of theirs, counted, and paged without losing any."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.codec import codec
from sinks.avro import Placed
from sinks.filters import FindingFilter, SessionFilter
from sinks.readers import Reader, ReadError
from sinks.store import insert
from sinks.tables import findings_target
from tests.sinks.both_ways import WAYS, reading
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store

START_US = 1_793_000_000_000_000  # 2026-10-26T07:33:20Z
HOUR_US = 3_600_000_000
SECRET = {"path": "/x", "rule": "mail", "start": 0, "end": 3, "pseudonym": "abc"}


@pytest.fixture(params=WAYS)
async def reader(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> AsyncIterator[Reader]:
    async with reading(request.param, store, tmp_path) as found:
        yield found


@dataclass(frozen=True)
class Month:
    """Sessions A, B and C, an hour apart, over a connection of their own."""

    connection: str
    names: dict[str, str]

    async def found(self, reader: Reader, limit: int = 10, **wanted: Any) -> str:
        """The letters of the sessions found, in order."""
        rows = await reader.sessions(SessionFilter(connection=self.connection, **wanted), limit)
        return "".join(self.names[row["session_id"]] for row in rows)


@pytest.fixture
def month(store: Store) -> Month:
    connection, names = f"filters-{uuid4().hex[:8]}", {}
    for at, letter in enumerate("ABC"):
        session = str(uuid4())
        names[session] = letter
        trail = Trail(lane=f"filters-{session}", started_us=START_US + at * HOUR_US)
        shared: dict[str, Any] = {"connection": connection, "session_id": session}
        if letter == "A":
            trail.exchange(b'{"r":"Quokka wombat"}', tool="apply", verdict="deny", **shared)
            trail.exchange(tool="list", principal_groups=["sre", "night"], **shared)
        if letter == "B":
            attributes = {
                "k8s.verb": "delete",
                "k8s.objectRef.namespace": "prod",
                "k8s.objectRef.resource": "pods",
            }
            trail.exchange(tool="apply", attributes=attributes, principal_subject="bea", **shared)
            trail.exchange(b"wombat", tool="list", verdict="deny", redactions=[SECRET], **shared)
        if letter == "C":
            trail.exchange(tool="apply", resource="file:///c", **{**shared, "outcome": "timed_out"})
            trail.frame(tool="never_ended", **shared)
        fill(store.client, trail.values)
    return Month(connection, names)


@pytest.mark.parametrize(
    ("wanted", "letters"),
    [
        ({}, "CBA"),
        ({"tool": "apply"}, "CBA"),
        ({"tool": "apply", "verdict": "deny"}, "A"),  # not B: its denied call was another one
        ({"tool": "list", "verdict": "deny"}, "B"),
        ({"verb": "delete"}, "B"),
        ({"namespace": "prod", "resource": "pods"}, "B"),
        ({"resource": "file:///c"}, "C"),
        ({"group": "night"}, "A"),
        ({"group": "sre"}, "CBA"),
        ({"principal": "bea"}, "B"),
        ({"outcome": "timed_out"}, "C"),
        ({"outcome": "pending"}, "C"),
        ({"redacted": True}, "B"),
        ({"text": "wombat"}, "BA"),
        ({"text": "WOMBAT quokka"}, "A"),
        ({"text": "wombat", "tool": "apply"}, "A"),
        ({"since": "2026-10-26T08:00:00Z"}, "CB"),
        ({"until": "2026-10-26T09:00:00Z"}, "BA"),
        ({"since": "2026-10-26T08:00:00Z", "until": "2026-10-26T09:00:00+00:00"}, "B"),
        ({"since": "2026-10-26T07:35:00Z", "text": "quokka"}, ""),
        ({"tool": "nothing"}, ""),
    ],
)
async def test_a_session_is_found_by_one_exchange_in_which_all_holds(
    reader: Reader, month: Month, wanted: dict[str, Any], letters: str
) -> None:
    assert await month.found(reader, **wanted) == letters
    counts = await reader.session_counts(
        SessionFilter(**{"connection": month.connection, "since": "2026-10-26T07:00:00Z",
                         "until": "2026-10-26T11:00:00Z", **wanted}), 4
    )  # fmt: skip
    assert (counts["total"], counts["more"]) == (len(letters), False)


async def test_pages_follow_each_other_without_a_hole_even_where_sessions_end_at_one_time(
    reader: Reader, store: Store, month: Month
) -> None:
    assert await month.found(reader, limit=2) == "CB"
    (_, second) = await reader.sessions(SessionFilter(connection=month.connection), 2)
    assert await month.found(reader, limit=2, before=second["last_at"]) == "A"
    assert await month.found(reader, limit=2, before=second["last_at"], tool="apply") == "A"

    together = f"together-{uuid4().hex[:8]}"
    for _ in range(3):
        trail = Trail(lane=f"together-{uuid4()}", started_us=START_US)
        trail.exchange(session_id=str(uuid4()), connection=together)
        fill(store.client, trail.values)
    assert len(await reader.sessions(SessionFilter(connection=together), 2)) == 3


async def test_a_histogram_counts_exchanges_where_they_began(reader: Reader, month: Month) -> None:
    wanted = SessionFilter(
        connection=month.connection, since="2026-10-26T07:00:00Z", until="2026-10-26T11:00:00Z"
    )
    counts = await reader.session_counts(wanted, 4)

    assert (counts["bucket_seconds"], counts["since"]) == (3600, "2026-10-26T07:00:00.000000Z")
    shown = [
        (row["at"][11:16], row["sessions"], row["exchanges"], row["denied"], row["errors"])
        for row in counts["buckets"]
    ]
    assert shown == [
        ("07:00", 1, 2, 1, 0),
        ("08:00", 1, 2, 1, 0),
        ("09:00", 1, 2, 0, 1),
        ("10:00", 0, 0, 0, 0),
    ]
    for broken in (0, 501):
        with pytest.raises(ReadError, match="buckets must lie between"):
            await reader.session_counts(wanted, broken)
    with pytest.raises(ReadError, match="must lie before"):
        await reader.session_counts(SessionFilter(since=wanted.until, until=wanted.since), 4)


async def test_sessions_that_a_finding_is_about_are_found(reader: Reader, store: Store, month: Month) -> None:
    session = next(found for found, letter in month.names.items() if letter == "B")
    finding = {
        "finding_id": str(uuid4()),
        "rule": "odd",
        "severity": "low",
        "raised_at": START_US,
        "title": "odd",
        "evidence": [],
        "attributes": {"session_id": session, "connection": month.connection},
    }
    target, value = findings_target("findings"), codec("finding").encode(finding)
    placed = [Placed(0, uuid4().int % 10**9, value)]
    insert(
        store.client, f"audit.{target.table}", target.schemas.of(value), placed, str(finding["finding_id"])
    )

    assert await month.found(reader, finding=True) == "B"
    (found,) = await reader.findings(FindingFilter(session=session), 5)
    assert found["finding_id"] == finding["finding_id"]
    assert await reader.findings(FindingFilter(session=session, before=found["raised_at"]), 5) == []


async def test_a_session_is_read_exchange_by_exchange_and_frame_by_frame(
    reader: Reader, month: Month, store: Store
) -> None:
    session = next(found for found, letter in month.names.items() if letter == "A")
    first, second = await reader.session_exchanges(session, 10)
    assert [first["tool"], second["tool"]] == ["apply", "list"]
    assert "frame_list" not in first
    assert [row["tool"] for row in await reader.session_exchanges(session, 1)] == ["apply"]
    assert await reader.session_exchanges(session, 10, first["exchange_id"]) == [second]
    assert await reader.session_exchanges(session, 10, second["exchange_id"]) == []

    whole = await reader.exchange(first["exchange_id"])
    assert whole is not None
    answer = await reader.frame(whole["frame_list"][1]["frame_id"])
    assert answer is not None
    assert (answer["body"], answer["direction"], answer["lane_seq"]) == (
        '{"r":"Quokka wombat"}',
        "response",
        2,
    )
    assert answer["http_headers"] == "content-type: application/json\r\n"
    assert (len(answer["digest"]), len(answer["audit_digest"])) == (64, 64)
    stored = store.client.query(
        "SELECT lower(hex(digest)) FROM audit.frames_stored WHERE frame_id = {id:UUID}",
        {"id": answer["frame_id"]},
    )
    assert answer["digest"] == stored.result_rows[0][0]
    assert await reader.frame(str(uuid4())) is None


async def test_the_overview_and_the_options_tell_what_there_was(reader: Reader, month: Month) -> None:
    overview = await reader.overview("2026-10-26T07:00:00Z", "2026-10-26T11:00:00Z", (month.connection,))

    totals = overview["totals"]
    assert (totals["calls"], totals["sessions"], totals["denied"], totals["held"]) == (6, 3, 2, 0)
    assert (totals["errors"], totals["pending"], totals["redactions"]) == (1, 1, 2)
    assert (totals["p50_ms"], totals["principals"]) == (1.5, 2)
    assert sum(row["calls"] for row in overview["series"]) == 6
    assert [row["p50_ms"] for row in overview["series"] if not row["calls"]][:1] == [None]
    assert overview["redactions"] == [{"rule": "mail", "redactions": 2}]
    assert [(row["name"], row["calls"], row["denied"]) for row in overview["tools"]] == [
        ("apply", 3, 1),
        ("list", 2, 1),
        ("never_ended", 1, 0),
    ]
    assert {row["name"] for row in overview["denied_tools"]} == {"apply", "list"}
    assert [row["name"] for row in overview["principals"]] == ["anonymous", "bea"]
    options = await reader.options((month.connection,))
    assert options["tools"] == ["apply", "list", "never_ended"]
    assert (options["groups"], options["verbs"], options["namespaces"]) == (
        ["night", "sre"],
        ["delete"],
        ["prod"],
    )
