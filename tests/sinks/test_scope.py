"""A viewer sees the connections of their scope and nothing else, whichever way and whatever is asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.codec import codec
from sinks.avro import Placed
from sinks.filters import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, SessionFilter
from sinks.readers import Reader, ReadError
from sinks.store import insert
from sinks.tables import findings_target
from tests.sinks.both_ways import WAYS, reading
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store

MINE, THEIRS = "scope-mine", "scope-theirs"
STARTED_US = 1_792_000_000_000_000
SINCE = "2026-10-14T00:00:00Z"
INJECTIONS = [
    "' OR 1=1 --",
    "x') OR (1=1",
    "\\' OR 1 --",
    "{connections:Array(String)}",
    "scope-theirs' OR ''='",
]


@pytest.fixture(params=WAYS)
async def reader(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> AsyncIterator[Reader]:
    async with reading(request.param, store, tmp_path) as found:
        yield found


@pytest.fixture
def trail(store: Store) -> dict[str, str]:
    """One session with one exchange over each connection, the second caused by the first; ids by name."""
    lane, ids = Trail(lane=f"scope-{uuid4()}", started_us=STARTED_US + uuid4().int % 10**9), {}
    for name in (MINE, THEIRS):
        session = str(uuid4())
        parent = {"parent.exchange_id": ids["exchange " + MINE]} if name == THEIRS else {}
        exchange = lane.exchange(
            b'{"result":"scopeword"}', session_id=session, connection=name, attributes=parent
        )
        ids |= {f"session {name}": session, f"exchange {name}": exchange}
    fill(store.client, lane.values)
    for name in (MINE, THEIRS):
        found = store.client.query(
            "SELECT frame_id FROM audit.frames_stored WHERE exchange_id = {e:UUID} LIMIT 1",
            {"e": ids[f"exchange {name}"]},
        )
        ids[f"frame {name}"] = str(found.result_rows[0][0])
        ids[f"finding {name}"] = _finding(store, name)
    return ids


def _finding(store: Store, connection: str) -> str:
    finding: dict[str, Any] = {
        "finding_id": str(uuid4()),
        "rule": "scope-rule",
        "severity": "low",
        "raised_at": 1_792_000_000_000_000,
        "title": "seen",
        "evidence": [],
        "attributes": {"connection": connection},
    }
    value = codec("finding").encode(finding)
    target = findings_target("findings")
    placed = [Placed(0, hash(finding["finding_id"]) % 10**9, value)]
    insert(store.client, "audit.finding_acts_stored", target.schemas.of(value), placed, finding["finding_id"])
    return str(finding["finding_id"])


async def everything(reader: Reader, connections: tuple[str, ...] | None) -> set[str]:
    """Every connection that any list shows to this scope."""
    sessions = await reader.sessions(SessionFilter(since=SINCE, connections=connections), 1_000)
    frames = await reader.frames(FrameFilter(since=SINCE, connections=connections, text="scopeword"), 1_000)
    findings = await reader.findings(FindingFilter(rule="scope-rule", connections=connections), 1_000)
    approvals = await reader.approvals(ApprovalFilter(connections=connections), 1_000)
    lists: list[Any] = [*sessions, *frames, *findings, *approvals]
    options = await reader.options(connections)
    overview = await reader.overview(SINCE, "2026-10-15T00:00:00Z", connections)
    return (
        {row["connection"] for row in lists}
        | {*options["connections"]}
        | {row["connection"] for row in overview["tools"]}
    )


async def test_a_scope_shows_its_connections_and_no_other(reader: Reader, trail: dict[str, str]) -> None:
    assert {MINE, THEIRS} <= await everything(reader, None)
    assert await everything(reader, (MINE,)) == {MINE}
    assert {MINE, THEIRS} == await everything(reader, (MINE, THEIRS))


async def test_the_empty_scope_shows_nothing_at_all(reader: Reader, trail: dict[str, str]) -> None:
    assert await everything(reader, ()) == set()
    counts = await reader.session_counts(SessionFilter(since=SINCE, connections=()), 4)
    assert (counts["total"], {bucket["exchanges"] for bucket in counts["buckets"]}) == (0, {0})
    assert (await reader.overview(SINCE, "2026-10-15T00:00:00Z", ()))["totals"]["calls"] == 0
    assert await reader.finding_rates(()) == []
    assert await reader.admin(AdminFilter(connections=()), 10) == []


@pytest.mark.parametrize("what", ["session", "exchange", "frame", "finding"])
async def test_an_id_outside_the_scope_is_answered_like_one_that_is_not_there(
    reader: Reader, trail: dict[str, str], what: str
) -> None:
    ask: Any = getattr(reader, what)
    key = f"{what}_id"

    assert (await ask(trail[f"{what} {THEIRS}"], None))[key] == trail[f"{what} {THEIRS}"]
    assert (await ask(trail[f"{what} {MINE}"], (MINE,)))[key] == trail[f"{what} {MINE}"]
    assert await ask(trail[f"{what} {THEIRS}"], (MINE,)) is None
    assert await ask(trail[f"{what} {MINE}"], ()) is None
    assert await reader.approval(trail[f"{what} {MINE}"], (MINE,)) is None


async def test_the_conversation_and_the_causes_of_another_connection_stay_hidden(
    reader: Reader, trail: dict[str, str]
) -> None:
    theirs = trail[f"session {THEIRS}"]
    assert len(await reader.session_exchanges(theirs, 10, "", None)) == 1
    assert await reader.session_exchanges(theirs, 10, "", (MINE,)) == []
    assert await reader.frames(FrameFilter(session=theirs, connections=(MINE,)), 10) == []
    assert await reader.frames(
        FrameFilter(exchange=trail[f"exchange {THEIRS}"], connections=(MINE,)), 10
    ) == []  # fmt: skip
    seen = [
        [branch["connection"] for branch in await reader.tree(trail[f"exchange {MINE}"], scope)]
        for scope in (None, (MINE,), (THEIRS,), ())
    ]
    assert seen == [[MINE, THEIRS], [MINE], [], []]
    (below,) = await reader.tree(trail[f"exchange {THEIRS}"], (THEIRS,))
    assert (below["connection"], below["depth"]) == (THEIRS, 0)


@pytest.mark.parametrize("value", INJECTIONS)
async def test_sql_in_a_filter_or_a_scope_is_only_ever_a_value(
    reader: Reader, trail: dict[str, str], value: str
) -> None:
    texts = (
        "principal",
        "connection",
        "group",
        "tool",
        "verb",
        "resource",
        "namespace",
        "verdict",
        "outcome",
    )
    for name in texts:
        wanted = SessionFilter(**{name: value, "since": SINCE})  # type: ignore[arg-type]
        assert await reader.sessions(wanted, 10) == []
    for name in ("principal", "connection", "direction", "method", "tool", "verb", "namespace", "resource"):
        assert await reader.frames(FrameFilter(**{name: value}), 10) == []  # type: ignore[arg-type]
    assert await reader.sessions(SessionFilter(connections=(value,)), 10) == []
    assert not any((await reader.options((value,))).values())
    for broken in (SessionFilter(since=value), SessionFilter(until=value), SessionFilter(before=value)):
        with pytest.raises(ReadError):
            await reader.sessions(broken, 10)
    for ask in (reader.session, reader.frame, reader.exchange, reader.finding, reader.approval, reader.tree):
        with pytest.raises(ReadError):
            await ask(value)
