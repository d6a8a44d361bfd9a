"""A person's data go out of the rows; the rows, their places and their digests stay."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codec import codec
from schemas.retention_content import Erasure, Hold, erasure_content, hold_content, person_mark
from sinks.avro import Placed
from sinks.store import insert
from sinks.tables import alerts_target, findings_target, requested_target, sealed_target
from tests.retention.acts import said
from tests.retention.conftest import ERASURE_KEY, EVER, Deployment
from tests.schemas.records import example

pytestmark = pytest.mark.asyncio(loop_scope="package")
CARL = ("https://idp", "carl@example.com")
MARK = "erased:" + person_mark(ERASURE_KEY, *CARL)[:12]
CARLS: dict[str, Any] = {
    "principal_issuer": CARL[0],
    "principal_subject": CARL[1],
    "principal_groups": ["tennis-club"],
    "peer": "10.1.2.3:999",
    "user_agent": "carls-laptop",
    "http_path": "/mcp/demo?name=carl",
    "http_headers": "x-name: carl\r\n",
    "resource": "file:///home/carl",
    "reason": "because carl said so",
    "attributes": {"purpose": "for carl", "k8s.verb": "get"},
    "redactions": [{"path": "/carl", "rule": "r", "start": 0, "end": 1, "pseudonym": "p"}],
}


def erasure(deployment: Deployment, **whose: str) -> Any:
    return said("erasure", erasure_content(Erasure(**whose)), at=deployment.now)


async def test_a_person_is_erased_from_rows_that_go_on_to_count(deployment: Deployment) -> None:
    deployment.frame(days=3, body=b'{"name":"carl"}', **CARLS)
    deployment.frame(days=3)
    digests = "hex(digest), hex(audit_digest), hex(body_sha256), tool, verdict, connection"
    before = deployment.rows(digests)
    acts = erasure(deployment, person=person_mark(ERASURE_KEY, *CARL))
    await deployment.say(*acts)

    report = await deployment.round(EVER)

    assert (report.erased, deployment.rows(digests)) == (1, before)
    whole = str(deployment.client.query(f"SELECT * FROM {deployment.database}.frames_stored").result_rows)
    assert "carl" not in whole
    assert "tennis" not in whole
    assert deployment.rows("principal_subject, retained, body") == [
        (MARK, "erased", ""),
        ("anonymous", "whole", '{"a":1}'),
    ]
    assert deployment.rows("attributes", "k_offset = 0") == [{"k8s.verb": "get"}]
    assert deployment.tombstones("what, why, first_offset, last_offset, cause, asked_by") == [
        ("row", "erased", 0, 0, acts[0]["proposal_id"], ["https://idp|ann", "https://idp|bob"])
    ]


async def test_who_lists_sessions_finds_no_name_of_an_erased_person_either(deployment: Deployment) -> None:
    deployment.frame(days=3, **CARLS)
    await deployment.say(*erasure(deployment, person=person_mark(ERASURE_KEY, *CARL)))

    await deployment.round(EVER)

    listed = f"SELECT principal, groups, resource FROM {deployment.database}.exchanges_index FINAL"
    assert list(deployment.client.query(listed).result_rows) == [(MARK, [], "")]


async def test_a_frame_of_before_that_arrives_later_is_erased_too_and_one_of_after_is_not(
    deployment: Deployment,
) -> None:
    await deployment.say(*erasure(deployment, person=person_mark(ERASURE_KEY, *CARL)))
    await deployment.round(EVER)
    deployment.frame(days=1, **CARLS)
    deployment.frame(days=-1, **CARLS)

    await deployment.round(EVER)

    assert deployment.rows("principal_subject") == [MARK, CARL[1]]


async def test_an_erasure_waits_for_a_hold_and_follows_when_it_is_released(deployment: Deployment) -> None:
    deployment.frame(days=3, connection="held", **CARLS)
    hold = said("hold", hold_content(Hold(connection="held")), at=deployment.now)
    await deployment.say(*hold, *erasure(deployment, person=person_mark(ERASURE_KEY, *CARL)))

    await deployment.round(EVER)
    assert deployment.rows("principal_subject") == [CARL[1]]

    await deployment.say(*said("release", {"hold_id": hold[0]["proposal_id"]}, at=deployment.now + 5))
    await deployment.round(EVER)
    assert deployment.rows("principal_subject") == [MARK]


async def test_a_session_is_erased_whoever_it_was(deployment: Deployment) -> None:
    session = "0198f0f2-7c1e-7cc1-9c1e-0242ac120004"
    deployment.frame(days=3, session_id=session, **CARLS)
    deployment.frame(days=3, **CARLS)
    await deployment.say(*erasure(deployment, session_id=session))

    await deployment.round(EVER)

    assert deployment.rows("principal_subject") == [MARK, CARL[1]]


async def test_originals_requests_and_findings_of_an_erased_person_lose_the_name(
    deployment: Deployment,
) -> None:
    deployment.frame(days=3, frame_id=example("sealed")["frame_id"], **CARLS)
    sealed = example("sealed")
    request = example("approval_requested") | {
        "principal_issuer": CARL[0],
        "principal_subject": CARL[1],
        "object": "carls pod",
    }
    finding = example("finding") | {
        "title": f"{CARL[1]} is odd",
        "evidence": [f"seen: {CARL[1]}"],
        "attributes": {"principal_subject": CARL[1], "principal_issuer": CARL[0]},
    }
    letter = {"letter": f"rule|{CARL[0]}|{CARL[1]}", "findings": ["f1"], "more": 2}
    for target, schema, record in (
        (alerts_target("t"), "alert_attempt", example("alert_attempt") | {"letters": [letter]}),
        (sealed_target("t"), "sealed", sealed | {"expires_at": deployment.now + 10**12}),
        (requested_target("t"), "approval_requested", request),
        (findings_target("t"), "finding", finding),
    ):
        store(deployment, target, codec(schema).encode(record))
    await deployment.say(*erasure(deployment, person=person_mark(ERASURE_KEY, *CARL)))

    await deployment.round(EVER)

    for table, rows in (
        ("sealed_stored", 0),
        ("approvals_requested_stored", 1),
        ("finding_acts_stored", 1),
        ("alerts_stored", 1),
    ):
        found = deployment.client.query(f"SELECT * FROM {deployment.database}.{table}").result_rows
        assert len(found) == rows
        assert "carl" not in str(found)


def store(deployment: Deployment, target: Any, value: bytes) -> None:
    table = f"{deployment.database}.{target.table}"
    assert not insert(deployment.client, table, target.schemas.of(value), [Placed(0, 0, value)], table)
