"""Approvals in the store: who asked, who decided, how long it took, what ran."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from processors.approvals.app import tick
from schemas.approvals import open_settled, settled_value, signed_settled
from sinks.avro import Placed
from sinks.readers import ApprovalFilter
from sinks.sql_reader import SqlReader
from sinks.store import insert
from sinks.tables import Target, decided_target, requested_target, settled_target
from tests.processors.approvals.making import (
    ISSUER,
    MACHINE,
    SECOND,
    T0,
    Desk,
    decision,
    delegation,
    request,
    use,
)
from tests.sinks.conftest import StoreProcess, Topics
from tests.sinks.shared_store import Store
from tests.sinks.test_sink import settings_for, sinking
from tests.sinks.test_store_process import until

ANN = f"{ISSUER}|ann"
Values = dict[str, list[bytes]]


def put(store: Store, values: Values) -> None:
    for name, target in targets().items():
        if found := values.get(name):
            placed = [Placed(0, number, value) for number, value in enumerate(found)]
            schema = target.schemas.of(found[0])
            assert insert(store.client, f"audit.{target.table}", schema, placed, str(uuid4())) == []


def targets() -> dict[str, Target]:
    return {
        "requested": requested_target("r"),
        "decided": decided_target("d"),
        "settled": settled_target("s"),
    }


class Case:
    """One approval, its records, and what the processor settles of them."""

    def __init__(self, **over: Any) -> None:
        self.id, self.connection = str(uuid4()), f"prod-{uuid4()}"
        self._desk = Desk()
        asked = request(approval_id=self.id, connection=self.connection, **over)
        self.values: Values = {"requested": [asked[1]], "decided": [], "settled": []}
        self._keep(self._desk.asked(asked))

    def say(self, number: int, who: str = "ann", verb: str = "approve", **over: Any) -> None:
        fields = {"approval_id": self.id, "decision_id": str(uuid4()), **over}
        said = use(number, **fields) if verb == "use" else decision(number, who, verb, **fields)
        self.values["decided"].append(said[1])
        self._keep(self._desk.told(said))

    def _keep(self, settled: list[Any]) -> None:
        self.values["settled"] += [settled_value(record) for record in settled]


async def found(store: Store, case: Case, **wanted: str) -> list[Any]:
    reader = SqlReader(store.address)
    try:
        return list(await reader.approvals(ApprovalFilter(connection=case.connection, **wanted), 10))
    finally:
        await reader.close()


async def test_an_approval_tells_who_asked_who_decided_how_long_it_took_and_what_ran(store: Store) -> None:
    case = Case()
    put(store, case.values)
    (row,) = await found(store, case, state="pending")
    assert (row["principal"], row["tool"], row["rule"]) == ("bob", "delete_pod", "deletes")
    assert (row["quorum"], row["decided_at"], row["waited_ms"]) == (
        [{"reviewers": ["owners"], "people": 1}],
        None,
        None,
    )
    case.say(3, "bob")  # nobody approves their own call
    case.say(42, comment="looked at it")
    case.say(43, verb="use", use_id="exchange-1")
    put(store, case.values)
    (row,) = await found(store, case)
    assert (row["state"], row["approvers"], row["waited_ms"]) == ("used", [ANN], 42_000.0)
    assert (row["comments"], row["refused_decisions"], row["denied_by"]) == (["looked at it"], 1, "")
    assert (row["use_exchanges"], row["uses_left"]) == (["exchange-1"], 0)


async def test_a_denial_names_who_denied_and_a_decision_says_whether_it_counted(store: Store) -> None:
    case = Case()
    case.say(1, "bob")
    case.say(2, "eve", "deny", who_groups=[], delegation=delegation("ann", "eve"), comment="not today")
    put(store, case.values)
    (row,) = await found(store, case, state="denied")
    assert (row["denied_by"], row["approvers"], row["comments"]) == (f"{ISSUER}|eve", [], ["not today"])
    sql = (
        "SELECT who, verb, instead_of, counted, refusal != '' FROM audit.v_approval_decisions"
        " WHERE approval_id = {id:UUID} ORDER BY at"
    )
    rows = store.client.query(sql, {"id": case.id}).result_rows
    assert rows == [("bob", "approve", "", False, 1), ("eve", "deny", ANN, True, 0)]


async def test_a_request_that_nothing_was_settled_of_is_unread(store: Store) -> None:
    case = Case()
    put(store, {"requested": case.values["requested"]})
    (row,) = await found(store, case)
    assert (row["state"], row["ends_at"], row["approvers"], row["waited_ms"]) == ("unread", None, [], None)


async def test_repeats_change_nothing_and_ticks_are_no_decisions(store: Store) -> None:
    case = Case()
    case.say(5)
    case.values["decided"].append(tick(MACHINE, 0, T0).value)
    put(store, case.values)
    put(store, case.values)
    (row,) = await found(store, case)
    assert (row["state"], row["waited_ms"]) == ("approved", 5_000.0)
    count = (
        "SELECT count(), countIf(verb = 'tick') FROM audit.v_approval_decisions WHERE approval_id = {id:UUID}"
    )
    assert store.client.query(count, {"id": case.id}).result_rows == [(1, 0)]


async def test_the_arguments_of_a_call_are_not_stored_with_its_approval(store: Store) -> None:
    case = Case(arguments=b'{"name":"canary-7731"}')
    put(store, case.values)
    tables = "SELECT name FROM system.tables WHERE database = 'audit' AND name LIKE 'approvals%'"
    for (table,) in store.client.query(tables).result_rows:
        rows = store.client.query(f"SELECT toString(tuple(*)) FROM audit.{table}").result_rows
        assert not [row for row in rows if "canary-7731" in row[0]]


@pytest.mark.parametrize("state", ["approved", "expired"])
async def test_the_highest_version_counts_whatever_comes_first(store: Store, state: str) -> None:
    case = Case()
    case.say(9)
    if state == "expired":
        fields = dict(open_settled(case.id.encode(), case.values["settled"][-1]))
        fields |= {"state": "expired", "version": 9, "at": T0 + 900 * SECOND, "settled_id": str(uuid4())}
        case.values["settled"].append(settled_value(signed_settled(fields, MACHINE)))
    case.values["settled"].reverse()
    put(store, case.values)
    (row,) = await found(store, case)
    assert (row["state"], row["waited_ms"]) == (state, 9_000.0)


@pytest.mark.timeout(400)  # a store process starts, perhaps on a busy machine
async def test_approvals_come_through_the_sink_and_over_http(
    store_process: StoreProcess, kafka_topics: Topics
) -> None:
    case = Case()
    case.say(1)
    for topic, values in case.values.items():
        await kafka_topics.approval(topic, *values)
    reader = store_process.reader()
    await until(reader, "SELECT count() FROM audit.v_approvals WHERE state = 'approved'", [1])
    rows = await reader.approvals(ApprovalFilter(state="approved"), 5)
    assert [(row["approval_id"], row["approvers"]) for row in rows] == [(case.id, [ANN])]
    await reader.close()


async def test_a_poison_request_is_a_dead_letter(store: Store, kafka_topics: Topics) -> None:
    case = Case()
    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        await kafka_topics.approval("requested", b"junk", case.values["requested"][0])
        await running.until(
            lambda: running.counted("rows_stored_total", table="approvals_requested_stored") == 1
        )
    assert len(await kafka_topics.dead(1)) == 1
    assert len(await found(store, case)) == 1
