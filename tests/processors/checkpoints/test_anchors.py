"""Anchors against real services: a file, an S3 bucket with object lock, a time-stamping authority, a witness."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from moto.server import ThreadedMotoServer

from processors.checkpoints.anchors.anchor import AnchorError
from processors.checkpoints.anchors.bucket import BucketAnchor
from processors.checkpoints.anchors.file import FileAnchor
from processors.checkpoints.anchors.time_stamp import TimeStampAnchor
from processors.checkpoints.settings import BucketAnchor as Bucket
from processors.checkpoints.settings import FileAnchor as File
from processors.checkpoints.settings import TimeStampAnchor as Stamp
from processors.checkpoints.settings import WitnessAnchor as Witness
from schemas.checkpoints import CheckpointRecord, checkpoint_record, tree_head
from schemas.merkle import leaf_hash, root_of
from schemas.notes import Note, NoteKey, open_note
from tests.processors.checkpoints.authority import Authority, serving
from tests.processors.checkpoints.deployment import Deployment
from tests.processors.checkpoints.test_witness import witnessing

ORIGIN = "log.example.com/audit/0"
KEY = NoteKey(ORIGIN, bytes(32))
VALUES = [b"record %d" % number for number in range(100)]


def signed(size: int, key: NoteKey = KEY) -> CheckpointRecord:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    head = tree_head(key.name, size, root_of(leaves), 0, 1_790_000_000_000_000)
    note = str(Note(head.text, (key.sign(head.text),)))
    return checkpoint_record(head, note, topic="audit", partition=0, base_offset=0, leaves=leaves, at=0)


async def test_a_file_only_grows_and_says_which_tree_it_has(tmp_path: Path) -> None:
    other = NoteKey("log.example.com/audit/1", bytes(32))
    anchor = FileAnchor(tmp_path / "worm.jsonl", 1.0)
    assert await anchor.claims(ORIGIN, [KEY.log]) == []
    for record in (signed(3), signed(9), signed(20, other)):
        anchored = await anchor.put(record)
        assert json.loads(anchored.evidence)["note"] == record["note"]
    assert len((tmp_path / "worm.jsonl").read_text().splitlines()) == 3
    assert [claim.size for claim in await anchor.claims(ORIGIN, [KEY.log])] == [9]
    assert await anchor.claims(ORIGIN, [other.log]) == [], "nobody else's key speaks for this log"
    with pytest.raises(AnchorError, match="has a checkpoint of 9 leaves"):
        await anchor.put(signed(8))


async def test_a_note_is_found_in_a_file_however_much_of_another_log_came_after(tmp_path: Path) -> None:
    path = tmp_path / "worm.jsonl"
    anchor = FileAnchor(path, 1.0)
    await anchor.put(signed(9))
    with path.open("a") as file:
        file.write('not json\n{"note": 1}\n' + json.dumps({"note": "x" * 300_000}) + "\n")
    assert [claim.size for claim in await anchor.claims(ORIGIN, [KEY.log])] == [9]


async def test_a_file_that_cannot_be_written_is_an_error_of_the_anchor(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match="cannot be"):
        await FileAnchor(tmp_path / "no" / "worm", 1.0).put(signed(3))


# -- S3


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 service, and credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(endpoint: str) -> Any:
    return Session().create_client("s3", region_name="us-east-1", endpoint_url=endpoint)


async def test_nobody_can_delete_a_note_from_a_bucket_before_its_time(s3: str) -> None:
    asked = client(s3)
    asked.create_bucket(Bucket="proof", ObjectLockEnabledForBucket=True)
    anchor = BucketAnchor(Bucket("proof", "trail/", s3, "us-east-1", retain_days=30))
    assert await anchor.claims(ORIGIN, [KEY.log]) == []
    for size in (3, 9, 12):
        anchored = await anchor.put(signed(size))
    evidence = json.loads(anchored.evidence)
    assert anchored.place == f"s3://proof/{evidence['key']}"
    assert evidence["mode"] == "COMPLIANCE"
    until = datetime.fromisoformat(evidence["retain_until"])
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    with pytest.raises(ClientError, match="AccessDenied"):
        asked.delete_object(Bucket="proof", Key=evidence["key"], VersionId=evidence["version"])
    assert [claim.size for claim in await anchor.claims(ORIGIN, [KEY.log])] == [12]
    asked.close()


async def test_a_bucket_without_object_lock_is_no_anchor(s3: str) -> None:
    asked = client(s3)
    asked.create_bucket(Bucket="plain")
    asked.close()
    anchor = BucketAnchor(Bucket("plain", "", s3, "us-east-1"))
    with pytest.raises(AnchorError, match="s3://plain/"):
        await anchor.put(signed(3))
    with pytest.raises(AnchorError, match="NoSuchBucket"):
        await BucketAnchor(Bucket("gone", "", s3, "us-east-1")).put(signed(3))


# -- time-stamps


async def test_a_stamp_is_for_the_bytes_of_the_note_and_openssl_takes_it(tmp_path: Path) -> None:
    authority, record = Authority(tmp_path / "tsa"), signed(9)
    async with serving(authority) as url:
        anchored = await TimeStampAnchor(url, authority.ca, 1.0).put(record)
    assert anchored.note == record["note"]
    assert authority.verifies(record["note"].encode(), anchored.evidence)
    assert not authority.verifies(signed(8)["note"].encode(), anchored.evidence)


async def test_a_stamp_of_something_else_or_of_somebody_else_is_not_taken(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "tsa"), Authority(tmp_path / "other")
    async with serving(authority) as url:
        with pytest.raises(AnchorError, match="does not verify"):
            await TimeStampAnchor(url, other.ca, 1.0).put(signed(9))
        with pytest.raises(AnchorError, match="answered 404"):
            await TimeStampAnchor(f"{url}/gone", authority.ca, 1.0).put(signed(9))
        authority.wrong = True
        with pytest.raises(AnchorError, match="for something else"):
            await TimeStampAnchor(url, authority.ca, 1.0).put(signed(9))
    with pytest.raises(AnchorError, match="does not answer"):
        await TimeStampAnchor(url, authority.ca, 1.0).put(signed(9))


# -- all of them behind a checkpointer


async def anchored(deployment: Deployment, size: int, count: int) -> list[CheckpointRecord]:
    """The anchors of the tree of so many leaves, once there are `count` kinds."""
    async with asyncio.timeout(40):
        while True:
            records = [
                r for r in await deployment.records() if (r["kind"], r["tree_size"]) == ("anchor", size)
            ]
            if len({record["anchor_kind"] for record in records}) == count:
                return records
            await asyncio.sleep(0.1)


async def test_checkpoints_reach_a_file_and_a_witness_that_catches_up_over_restarts(
    deployment: Deployment, tmp_path: Path
) -> None:
    vkeys = [str(deployment.key(number).log) for number in (0, 1)]
    async with witnessing(tmp_path, *vkeys) as (url, key):
        anchors = (File(tmp_path / "worm", 0.05), Witness(url, str(key), 0.05))
        await deployment.put(*VALUES[:30])
        async with deployment.running(anchors=anchors):
            records = await anchored(deployment, 30, 2)
        await deployment.put(*VALUES[30:50])
        async with deployment.running():  # meanwhile without anchors
            await deployment.until_signed(50)
        await deployment.put(*VALUES[50:60])
        async with deployment.running(anchors=anchors) as running:
            records += await anchored(deployment, 60, 2)
            assert f'anchor_failing{{anchor="{url}"}} 0.0' in (await running.page("/metrics"))[1]
    cosigned = [record for record in records if record["anchor_kind"] == "witness"]
    for record in cosigned:
        note = open_note(record["note"])
        assert deployment.key().log.signed(note)
        assert key.signed(note)
        assert record["evidence"].decode().endswith(str(note.signatures[-1]))
    assert {record["place"] for record in records} == {url, str(tmp_path / "worm")}


async def test_abuse_83_a_witness_tells_that_everything_here_was_rolled_back(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with witnessing(tmp_path, str(deployment.key().log)) as (url, key):
        anchors = (Witness(url, str(key), 0.05),)
        await deployment.put(*VALUES[:30])
        async with deployment.running(anchors=anchors):
            await anchored(deployment, 30, 1)
        for topic in (deployment.topics.audit, deployment.topics.checkpoints):
            await deployment.make_anew(topic)
        for page in deployment.settings.folder.glob("*.json"):
            page.unlink()
        await deployment.put(*VALUES[50:60])
        async with deployment.running(anchors=anchors, retry_seconds=0.05):
            async with asyncio.timeout(30):
                while not (found := await deployment.findings()):
                    await asyncio.sleep(0.05)
    assert [(finding["rule"], finding["severity"]) for finding in found] == [
        ("checkpoint-refused", "critical")
    ]
    assert f"{url} has 30 leaves, and this checkpoint 10" in found[0]["evidence"]


async def test_an_anchor_that_is_away_stops_nothing_and_is_a_finding_after_a_while(
    deployment: Deployment, tmp_path: Path
) -> None:
    away = Stamp("http://127.0.0.1:9/tsa", None, 0.05)
    anchors = (away, File(tmp_path / "worm", 0.05))
    changes: dict[str, Any] = {"retry_seconds": 0.05, "failing_seconds": 0.3}
    await deployment.put(*VALUES[:10])
    async with deployment.running(anchors=anchors, **changes) as running:
        await anchored(deployment, 10, 1)
        async with asyncio.timeout(30):
            while not (found := await deployment.findings()):
                await asyncio.sleep(0.05)
        await deployment.put(*VALUES[10:20])
        await deployment.until_signed(20)
        await anchored(deployment, 20, 1)
        assert (await running.ready())[0] == 200
        assert f'anchor_failing{{anchor="{away.url}"}} 1.0' in (await running.page("/metrics"))[1]
    assert [finding["rule"] for finding in found] == ["checkpoint-anchor-failing"]
    assert "does not answer" in found[0]["evidence"][1]
