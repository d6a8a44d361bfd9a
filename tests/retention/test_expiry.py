"""Rows and bodies go by the rules in force: after their tombstones, and nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest

from schemas.retention_rules import DAY_US, Rules, Terms
from schemas.signatures import KeyRing, SigningKey
from schemas.tombstones import leaves_digest, retention_key, tombstone_fault
from tests.retention.acts import STORE
from tests.retention.conftest import YEAR, Deployment
from tests.sinks.filling import fill
from tests.sinks.records import Trail

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_nothing_goes_where_everything_is_kept_for_ever(deployment: Deployment) -> None:
    deployment.frame(days=4_000)

    report = await deployment.round()

    assert (report.rows, report.bodies, deployment.offsets()) == (0, 0, [0])
    assert deployment.tombstones() == []


async def test_rows_go_when_their_time_is_over_and_a_tombstone_names_each_run_of_them(
    deployment: Deployment,
) -> None:
    for days in (500, 450, 10, 420, 5):
        deployment.frame(days=days, body=b"")
    digests = [bytes(each) for each in deployment.rows("audit_digest")]

    report = await deployment.round(YEAR)

    assert report.rows == 3
    assert deployment.offsets() == [2, 4]
    assert deployment.tombstones() == [("row", "expired", 0, 0, 1), ("row", "expired", 0, 3, 3)]
    leaves = deployment.tombstones("hex(leaves_sha256)")
    assert [bytes.fromhex(row[0]) for row in leaves] == [
        leaves_digest(digests[:2]),
        leaves_digest(digests[3:4]),
    ]


async def test_a_body_goes_earlier_than_its_row_and_leaves_its_digest(deployment: Deployment) -> None:
    old, fresh = b'{"name":"rosalind"}', b'{"name":"franklin"}'
    deployment.frame(days=40, body=old)
    deployment.frame(days=2, body=fresh)

    report = await deployment.round(YEAR)

    assert (report.rows, report.bodies) == (0, 1)
    assert deployment.rows("body, retained, body_sha256 = unhex('" + sha256(old).hexdigest() + "')") == [
        ("", "no_body", 1),
        (fresh.decode(), "whole", 0),
    ]
    assert deployment.tombstones() == [("body", "expired", 0, 0, 0)]
    assert deployment.rows("k_offset", "hasAllTokens(head, 'rosalind')") == []
    assert deployment.rows("hex(body_sha256) = hex(SHA256(body))", "k_offset = 1") == [1]


async def test_connections_have_their_own_terms_and_nothing_goes_before_the_minimum(
    deployment: Deployment,
) -> None:
    deployment.frame(days=40, connection="short", body=b"")
    deployment.frame(days=40, connection="other", body=b"")
    deployment.frame(days=9, connection="hasty", body=b"")
    rules = Rules(Terms(400), {"short": Terms(30), "hasty": Terms(7)}, minimum_days=10)

    await deployment.round(rules)

    assert deployment.offsets() == [1, 2]
    assert deployment.tombstones("connection, first_offset") == [("short", 0)]


async def test_what_is_expired_when_it_arrives_is_stored_first_and_goes_by_a_tombstone_too(
    deployment: Deployment,
) -> None:
    deployment.frame(days=10, body=b"")
    await deployment.round(YEAR)
    deployment.frame(days=3_000, body=b"")

    report = await deployment.round(YEAR)

    assert (report.rows, deployment.offsets()) == (1, [0])
    assert deployment.tombstones() == [("row", "expired", 0, 1, 1)]


async def test_a_frame_that_claims_to_be_from_the_future_is_as_old_as_its_row(deployment: Deployment) -> None:
    deployment.frame(days=-10_000)
    deployment.now += 500 * DAY_US

    await deployment.round(YEAR)

    assert deployment.offsets() == []


async def test_tombstones_say_by_which_rules_and_carry_the_signature_of_the_store(
    deployment: Deployment,
) -> None:
    deployment.frame(days=500, body=b"")

    await deployment.round(YEAR)

    [each] = deployment.frames_of_tombstones()
    ring = KeyRing([retention_key(SigningKey(STORE).public)])
    assert tombstone_fault(ring, each) == ""
    assert (each["policy_version"], each["cause"], each["asked_by"]) == (YEAR.version, "", [])
    assert tombstone_fault(ring, {**each, "connection": "other"}) == "the signature does not fit"


async def test_a_row_that_went_is_found_by_nothing_that_lists_exchanges(deployment: Deployment) -> None:
    shared = "0198f0f2-7c1e-7cc1-9c1e-0242ac120003"
    deployment.frame(days=500, body=b"", exchange_id=shared)
    deployment.frame(days=10, body=b"", exchange_id=shared)
    deployment.frame(days=500, body=b"")
    deployment.frame(days=10, body=b"")
    listed = f"SELECT uniqExact(exchange_id) FROM {deployment.database}.exchanges_index"
    assert deployment.client.query(listed).result_rows == [(3,)]

    await deployment.round(YEAR)

    assert deployment.client.query(listed).result_rows == [(2,)]


async def test_a_round_after_it_finds_nothing_to_do(deployment: Deployment) -> None:
    deployment.frame(days=500)
    deployment.frame(days=50)
    await deployment.round(YEAR)
    before = deployment.tombstones()

    report = await deployment.round(YEAR)

    assert (report.rows, report.bodies, deployment.tombstones()) == (0, 0, before)


async def test_a_copy_of_a_frame_that_lost_its_body_brings_none_back(deployment: Deployment) -> None:
    trail = Trail(lane="copied", started_us=deployment.now - 40 * DAY_US)
    values = [trail.frame(b"a body")]
    fill(deployment.client, values, first=0, database=deployment.database)
    await deployment.round(YEAR)

    fill(deployment.client, values, first=9, database=deployment.database)

    assert deployment.offsets() == [0]
    assert deployment.rows("body") == [""]
