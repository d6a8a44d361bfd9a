"""Rows and bodies go by the rules in force: after their tombstones, and nothing else."""

from __future__ import annotations

from hashlib import sha256

from schemas.tombstones import leaves_digest
from tests.retention.conftest import YEAR, Deployment


async def test_nothing_goes_where_everything_is_kept_for_ever(deployment: Deployment) -> None:
    deployment.frame(days=4_000)

    report = await deployment.round()

    assert (report.rows, report.bodies, deployment.offsets()) == (0, 0, [0])
    assert deployment.tombstones() == []


async def test_rows_go_when_their_time_is_over_and_a_tombstone_names_each_run_of_them(
    deployment: Deployment,
) -> None:
    for days in (500, 450, 10, 420, 5):
        deployment.frame(days=days)
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
