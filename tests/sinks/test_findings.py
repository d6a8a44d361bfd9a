"""Findings: what became of them is read back, whatever order and however often their acts come."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from schemas.alerts import AlertAttempt, LetterTold, attempt_value
from schemas.codec import Codec, schema_versions
from schemas.findings import FindingRecord, acted, finding_record, finding_value
from sinks.avro import Placed
from sinks.readers import FindingFilter, ReadError
from sinks.sql_reader import SqlReader
from sinks.store import insert
from sinks.tables import findings_target
from tests.sinks.conftest import StoreProcess, Topics
from tests.sinks.shared_store import Store
from tests.sinks.test_sink import settings_for, sinking
from tests.sinks.test_store_process import until

TARGET = findings_target("findings")
SECOND = 1_000_000
NOW = time.time_ns() // 1_000
ANN = "cli:ann@ops"


def raised(rule: str, at: int = 0, **over: Any) -> FindingRecord:
    """A finding of Alice's, with a name of its own unless one is given."""
    over.setdefault("name", str(uuid4()))
    facts = {"principal_subject": "alice", "connection": "prod", "technique": "T1552.007"}
    over.setdefault("attributes", facts)
    return finding_record(rule, "high", "14 secrets", ["f1"], raised_at=NOW + at * SECOND, **over)


def put(store: Store, *records: FindingRecord) -> None:
    values = [finding_value(record) for record in records]
    placed = [Placed(0, number, value) for number, value in enumerate(values)]
    schema = TARGET.schemas.of(values[0])
    assert insert(store.client, f"audit.{TARGET.table}", schema, placed, str(uuid4())) == []


async def found(store: Store, rule: str, **wanted: str) -> list[Any]:
    reader = SqlReader(store.address)
    try:
        return list(await reader.findings(FindingFilter(rule=rule, **wanted), 100))
    finally:
        await reader.close()


async def test_a_finding_is_open_until_somebody_acts_and_closed_with_a_verdict(store: Store) -> None:
    rule = f"secret-reads-{uuid4()}"
    first = raised(rule)
    put(store, first)
    (row,) = await found(store, rule, state="open")
    assert (row["count"], row["principal"], row["connection"], row["technique"]) == (
        1,
        "alice",
        "prod",
        "T1552.007",
    )
    grown = {**first, "act": "repeated", "raised_at": NOW + 2 * SECOND, "count": 9, "evidence": ["f1", "f2"]}
    put(store, grown, acted(first, "acknowledged", at=NOW + 3 * SECOND, by=ANN))  # type: ignore[arg-type]
    (row,) = await found(store, rule, state="acknowledged")
    assert (row["count"], row["evidence"], row["acknowledged_by"]) == (9, ["f1", "f2"], ANN)
    assert row["last_seen_at"] > row["raised_at"]
    put(store, acted(first, "closed", at=NOW + 4 * SECOND, by=ANN, comment="a drill", verdict="benign"))
    (row,) = await found(store, rule)
    assert (row["state"], row["verdict"], row["closed_by"], row["comment"]) == (
        "closed",
        "benign",
        ANN,
        "a drill",
    )
    put(store, acted(first, "reopened", at=NOW + 5 * SECOND, by=ANN, comment="it was not"))
    (row,) = await found(store, rule, state="open")
    assert (row["verdict"], row["closed_by"], row["closed_at"]) == ("", "", None)


async def test_a_closed_finding_that_is_raised_again_stays_closed_and_says_when_it_was_seen(
    store: Store,
) -> None:
    rule = f"trail-{uuid4()}"
    first = raised(rule)
    put(store, first, acted(first, "closed", at=NOW + SECOND, by=ANN, verdict="false-positive"))
    put(store, {**first, "raised_at": NOW + 2 * SECOND})
    put(store, first, first)
    (row,) = await found(store, rule)
    assert row["state"] == "closed"
    assert row["last_seen_at"] > row["closed_at"]
    reader = SqlReader(store.address)
    one = await reader.finding(row["finding_id"])
    assert one is not None
    assert [act["act"] for act in one["acts"]] == ["raised", "closed", "raised"]
    assert await reader.finding(str(uuid4())) is None
    with pytest.raises(ReadError):
        await reader.finding("1' OR 1")
    await reader.close()


async def test_the_rate_of_false_positives_is_by_rule_and_unknown_while_none_is_closed(store: Store) -> None:
    rule, fresh = f"noisy-{uuid4()}", f"fresh-{uuid4()}"
    findings = [raised(rule) for _ in range(5)]
    verdicts = ("false-positive", "true-positive", "benign", "false-positive")
    closed = [
        acted(one, "closed", at=NOW + 7_200 * SECOND, by=ANN, verdict=verdict)  # type: ignore[arg-type]
        for one, verdict in zip(findings, verdicts, strict=False)
    ]
    put(store, *findings, *closed, raised(fresh))
    reader = SqlReader(store.address)
    rates = {row["rule"]: row for row in await reader.finding_rates()}
    await reader.close()
    noisy = rates[rule]
    assert (noisy["findings"], noisy["open"], noisy["false_positives"], noisy["benign"]) == (5, 1, 2, 1)
    assert noisy["false_positive_rate"] == 0.5
    assert noisy["median_hours_to_close"] == pytest.approx(2.0)
    assert (rates[fresh]["false_positive_rate"], rates[fresh]["median_hours_to_close"]) == (None, None)


async def test_what_the_version_before_stored_and_wrote_is_an_open_finding(store: Store) -> None:
    rule = f"old-{uuid4()}"
    (_, first) = schema_versions("finding")
    old = Codec(first).encode({name: raised(rule)[name] for name in [f["name"] for f in first["fields"]]})  # type: ignore[literal-required]
    (schema, value) = (TARGET.schemas.of(old), [Placed(0, 7, old)])
    assert insert(store.client, "audit.findings_stored", schema, value, str(uuid4())) == []
    (row,) = await found(store, rule)
    assert (row["state"], row["count"], row["attributes"]) == ("open", 1, {})
    assert insert(store.client, f"audit.{TARGET.table}", schema, value, str(uuid4())) == []
    assert [again["finding_id"] for again in await found(store, rule)] == [row["finding_id"]]


async def test_acts_come_through_the_sink_once(store: Store, kafka_topics: Topics) -> None:
    rule = f"sunk-{uuid4()}"
    first = raised(rule)
    acts = [first, acted(first, "closed", at=NOW + SECOND, by=ANN, verdict="true-positive")]
    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        for act in [*acts, *acts]:
            await kafka_topics.finding(finding_value(act))
        await running.until(lambda: running.counted("rows_stored_total", table=TARGET.table) == 4)
    (row,) = await found(store, rule)
    assert (row["state"], row["verdict"]) == ("closed", "true-positive")


@pytest.mark.timeout(400)  # a store process starts, perhaps on a busy machine
async def test_findings_and_rates_are_asked_for_over_http(
    store_process: StoreProcess, kafka_topics: Topics
) -> None:
    first = raised("over-http")
    await kafka_topics.finding(finding_value(first))
    reader = store_process.reader()
    await until(reader, "SELECT count() FROM audit.v_findings WHERE rule = 'over-http'", [1])
    rows = await reader.findings(FindingFilter(rule="over-http"), 5)
    assert [row["finding_id"] for row in rows] == [first["finding_id"]]
    one = await reader.finding(first["finding_id"])
    assert one is not None
    assert [act["count"] for act in one["acts"]] == [1]
    assert await reader.finding(str(uuid4())) is None
    assert [row["findings"] for row in await reader.finding_rates()] == [1]
    await reader.close()


async def test_who_was_told_is_a_row_an_attempt(store: Store, kafka_topics: Topics) -> None:
    route, ids = f"security-{uuid4()}", [str(uuid4()) for _ in range(3)]
    letters: list[LetterTold] = [
        {"letter": "a|", "findings": ids[:2], "more": 3},
        {"letter": "b|", "findings": ids[2:], "more": 0},
    ]
    failed: AlertAttempt = {
        "attempt_id": str(uuid4()),
        "at": NOW,
        "made_at": NOW,
        "route": route,
        "url": 0,
        "letters": letters,
        "outcome": "failed",
        "fault": "refused",
    }
    told: AlertAttempt = {
        **failed,
        "attempt_id": str(uuid4()),
        "at": NOW + 1,
        "outcome": "delivered",
        "fault": "",
    }
    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        await kafka_topics.approval("alerts", *map(attempt_value, (failed, told, told)))
        await running.until(lambda: running.counted("rows_stored_total", table="alerts_stored") == 3)
    sql = "SELECT outcome, fault, findings, more FROM audit.v_alerts WHERE route = {r:String} ORDER BY at"
    rows = store.client.query(sql, {"r": route}).result_rows
    assert [tuple(row) for row in rows] == [("failed", "refused", ids, 3), ("delivered", "", ids, 3)]
