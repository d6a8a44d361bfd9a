"""The store process on a real broker: what is acknowledged is stored, once, whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import random
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from schemas.codec import codec
from sinks.client import HttpReader
from sinks.readers import FrameFilter, SessionFilter
from tests.sinks.conftest import StoreProcess, Topics
from tests.sinks.records import Trail, identifier

pytestmark = pytest.mark.timeout(400)  # each start of the process is seconds of work, more on a busy machine

COUNTS = "SELECT count(), uniqExact(lane, lane_seq) FROM audit.frames_stored"
SEEN = "SELECT count(), uniqExact(lane, lane_seq) FROM audit.v_frames"


async def until(reader: HttpReader, sql: str, wanted: list[Any], seconds: float = 90) -> None:
    """Waits until `sql` answers with the one row `wanted`."""
    row: list[Any] = []
    try:
        async with asyncio.timeout(seconds):
            while row != wanted:
                await asyncio.sleep(0.1)  # asking costs the store more than waiting
                row = (await reader.query(sql)).rows[0]
    except TimeoutError:
        raise AssertionError(f"{sql} gives {row}, not {wanted}") from None


async def test_an_exchange_can_be_read_soon_after_it_was_acknowledged_and_its_session_is_listed(
    store_process: StoreProcess, kafka_topics: Topics
) -> None:
    trail, reader = Trail(), store_process.reader()
    exchange = trail.exchange(b'{"result":"\xc5\xbe"}', session_id=identifier(5), tool="list_pods")

    await kafka_topics.audit(0, *trail.values)
    async with asyncio.timeout(60):
        while len(frames := await reader.frames(FrameFilter(session=identifier(5)), 10)) < 2:
            await asyncio.sleep(0.02)

    assert [(frame["direction"], frame["outcome"]) for frame in frames] == [
        ("request", "pending"),
        ("response", "completed"),
    ]
    assert frames[1]["body"] == '{"result":"ž"}'
    found = await reader.exchange(exchange)
    assert found is not None
    assert (found["tool"], found["outcome"], found["frames"]) == ("list_pods", "completed", 2)
    assert [frame["frame_id"] for frame in found["frame_list"]] == [frame["frame_id"] for frame in frames]
    assert [row["session_id"] for row in await reader.sessions(SessionFilter(), 10)] == [identifier(5)]
    assert await reader.session(identifier(6)) is None
    await reader.close()


async def test_repeats_and_poison_stop_nothing_and_are_counted(
    store_process: StoreProcess, kafka_topics: Topics
) -> None:
    trail, reader = Trail(), store_process.reader()
    for _ in range(5):
        trail.exchange()
    ill_named = trail.frame()[:11] + b"z" * 36 + trail.values.pop()[47:]  # no UUID: only the store finds out
    finding = codec("finding").encode(
        {
            "finding_id": identifier(3),
            "rule": "trail-incomplete",
            "severity": "high",
            "raised_at": 1_790_000_000_000_000,
            "title": "two frames are missing",
            "evidence": ["frames/0/17"],
        }
    )

    await kafka_topics.audit(0, *trail.values[:6], b"noise", *trail.values[:4], ill_named, *trail.values[4:])
    await kafka_topics.finding(finding)
    await kafka_topics.finding(finding)
    letters = [codec("dead_letter").decode(value) for value in await kafka_topics.dead(2)]
    await until(reader, COUNTS, [10, 10])

    assert {(letter["reason_code"], letter["offset"]) for letter in letters} == {
        ("not_avro", 6),
        ("store_refused", 11),
    }
    assert {letter["value"] for letter in letters} == {b"noise", ill_named}
    await until(reader, "SELECT count(), any(title) FROM audit.v_findings", [1, "two frames are missing"])
    async with aiohttp.ClientSession() as http, http.get(f"{store_process.url}/metrics") as response:
        page = await response.text()
    assert 'duplicates_dropped_total{table="frames_stored"} 6.0' in page
    assert 'dead_letters_total{reason_code="store_refused"} 1.0' in page
    await reader.close()


async def test_kill_9_at_any_moment_loses_no_frame_and_doubles_none(
    store_process: StoreProcess, kafka_topics: Topics
) -> None:
    now = time.time_ns() // 1_000
    trails = [Trail(lane=f"gw/boot/0/{part}", partition=part, started_us=now) for part in range(4)]
    enough, chance = asyncio.Event(), random.Random(7)

    async with asyncio.TaskGroup() as group:
        group.create_task(_flow(kafka_topics, trails, enough))
        for _ in range(5):
            await asyncio.sleep(chance.uniform(0.05, 0.8))  # the moment of the kill, not a wait for something
            store_process.kill()
            store_process.start()
            await store_process.ready()
        enough.set()
    await kafka_topics.producer.flush()  # Kafka has taken every frame, or the flow has said why not

    total = sum(len(trail.values) for trail in trails)
    reader = store_process.reader()
    await until(reader, COUNTS, [total, total], seconds=180)  # not even in the table beneath the view
    await until(reader, SEEN, [total, total])
    assert store_process.stop() == 0
    await reader.close()


async def _flow(topics: Topics, trails: list[Trail], enough: asyncio.Event) -> None:
    """Frames in bursts until it is `enough`, some of them twice as after a crash of a processor."""
    chance = random.Random(3)
    while not enough.is_set():
        trail = chance.choice(trails)
        fresh = [trail.frame(os.urandom(200)) for _ in range(chance.randint(1, 60))]
        repeated = trail.values[-chance.randint(1, 90) :] if chance.random() < 0.2 else []
        await topics.audit(trail.partition, *fresh, *repeated)
        await asyncio.sleep(0.02)  # about 1,500 frames a second: load, not overload


async def test_a_second_process_on_the_same_directory_is_refused_by_name(
    store_process: StoreProcess, kafka_topics: Topics, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.sinks.store_process"]
    second = await asyncio.create_subprocess_exec(
        *command, str(tmp_path), kafka_topics.bootstrap, "0", kafka_topics.prefix, "embedded",
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    _out, err = await second.communicate()

    assert second.returncode != 0
    assert b"is open in process" in err
    token = tmp_path / "run" / "query.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "clickhouse.tmp").stat().st_mode) == 0o700
    reader = store_process.reader()
    assert await reader.sessions(SessionFilter(), 1) == []  # the first one's token still holds
    await reader.close()


async def test_the_query_api_answers_only_the_token_and_only_under_our_name(
    store_process: StoreProcess,
) -> None:
    token = (store_process.data_dir / "run" / "query.token").read_text()
    allowed = {"Authorization": f"Bearer {token}"}
    cases: list[tuple[str, dict[str, str], int]] = [
        ("/api/sessions", {}, 401),
        ("/api/sessions", {"Authorization": "Bearer wrong"}, 401),
        ("/api/sessions", allowed, 200),
        ("/api/sessions", {**allowed, "Host": "evil.example"}, 421),
        ("/api/sessions", {**allowed, "Host": "localhost:1"}, 200),
        ("/healthz", {"Host": "10.0.0.7:8081"}, 200),
        ("/api/sessions?limit=0", allowed, 400),
        ("/api/sessions?colour=red", allowed, 400),
        ("/api/frames?session=nonsense", allowed, 400),
        ("/api/frames?since=yesterday-ish", allowed, 400),
        (f"/api/exchanges/{identifier(9)}", allowed, 404),
    ]
    async with aiohttp.ClientSession() as http:
        for path, headers, status in cases:
            async with http.get(store_process.url + path, headers=headers) as response:
                assert (path, headers, response.status) == (path, headers, status)
        async with http.post(
            f"{store_process.url}/api/query", headers=allowed, data="SELECT nope"
        ) as response:
            assert response.status == 400
            assert "nope" in await response.text()
