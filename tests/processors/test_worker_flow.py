"""Real worker processes on a real broker: nothing is lost when they come and go, and poison stops nothing."""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from masking.deep import DeepMasker
from processors.completeness_report import Report, completeness_report
from processors.known_table import CHANGELOG, known_rows
from processors.masking import GROUP
from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from tests.masking.kinds import KINDS, made
from tests.processors.fleet import Fleet
from tests.processors.making import frame_value
from tests.processors.masking_worker import KEY as MASKING_KEY
from tests.processors.shapes import MaskingShape
from tests.processors.trail import fill, lag, read_all, until

PARTITIONS = MaskingShape.partitions


@pytest.fixture
def fleet(kafka: KafkaAddress, tmp_path: Path) -> Iterator[Fleet]:
    """Up to three masking workers, none yet."""
    shape = MaskingShape()
    with Fleet(tmp_path, lambda home: shape.arguments(kafka.bootstrap, home), 3, Random(7)) as workers:
        yield workers


async def settled(kafka: KafkaAddress) -> Report:
    """Wait until everything is processed and verified."""

    async def fact() -> bool:
        left = await lag(kafka.bootstrap, GROUP, "frames", PARTITIONS)
        return not left and all(
            row.verified >= row.end for row in (await completeness_report(kafka)).partitions
        )

    await until(fact, 60)
    return await completeness_report(kafka)


def missing(report: Report) -> int:
    """Frames that audit lacks. (What other tests let expire stays in the books, and is not looked at.)"""
    return sum(row.missing_frames for row in report.partitions)


def probe(home: Path, path: str) -> tuple[int, str]:
    """Status and body of one of a worker's probes; 0 while it does not listen."""
    try:
        port = int((home / "port").read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (OSError, ValueError):
        return 0, ""


async def ready(fleet: Fleet) -> None:
    """Wait until every worker says that it is ready."""

    async def fact() -> bool:
        answers = [await asyncio.to_thread(probe, home, "/readyz") for home in fleet.homes()]
        return all(status == 200 for status, _ in answers)

    await until(fact, 60)


async def test_poison_goes_to_the_dead_letters_and_stops_nothing(kafka: KafkaAddress, fleet: Fleet) -> None:
    await ensure_topics(kafka)
    already = len(await read_all(kafka.bootstrap, "audit", PARTITIONS))
    rows = [(n % PARTITIONS, b"k", b"nonsense" if n in (3, 50) else frame_value(n)) for n in range(100)]
    await fill(kafka.bootstrap, "frames", rows)
    fleet.add()
    assert missing(await settled(kafka)) == 0
    assert len(await read_all(kafka.bootstrap, "audit", PARTITIONS)) == already + 98
    letters = [
        codec("dead_letter").decode(row.value) for row in await read_all(kafka.bootstrap, "dead-letters", 1)
    ]
    assert [letter["value"] for letter in letters[-2:]] == [b"nonsense"] * 2
    assert {letter["reason_code"] for letter in letters[-2:]} == {"undecodable"}
    _, figures = await asyncio.to_thread(probe, fleet.homes()[0], "/metrics")
    assert 'sluicegate_processor_frames_rejected_total{reason_code="undecodable"} 2.0' in figures
    assert "sluicegate_processor_frames_audited_total 98.0" in figures


async def test_a_worker_stops_politely_and_the_next_goes_on_where_it_was(
    kafka: KafkaAddress, fleet: Fleet
) -> None:
    await ensure_topics(kafka)
    for _ in range(2):
        before = len(await read_all(kafka.bootstrap, "audit", PARTITIONS))
        fleet.add()
        await ready(fleet)
        await fill(kafka.bootstrap, "frames", [(None, b"k%d" % n, frame_value(n)) for n in range(200)])
        assert missing(await settled(kafka)) == 0
        fleet.signal_one(signal.SIGTERM)
        await until(lambda: asyncio.to_thread(lambda: not fleet.ending()), 30)
        assert len(await read_all(kafka.bootstrap, "audit", PARTITIONS)) == before + 200
    assert fleet.done["ended 0"] == 2
    assert not [row for row in fleet.logged() if row["level"] in ("error", "critical")]


async def test_no_frame_is_lost_while_workers_are_added_stopped_and_killed(
    kafka: KafkaAddress, fleet: Fleet
) -> None:
    shape = MaskingShape()
    await shape.prepare(kafka.bootstrap)
    fleet.add()
    await ready(fleet)
    for number, disturb in enumerate((fleet.add, fleet.add, fleet.kill, fleet.add, fleet.stop)):
        frames = [(None, *shape.record(number * 2_000 + n)) for n in range(2_000)]
        await fill(kafka.bootstrap, "frames", frames)
        disturb()
        await ready(fleet)
    assert missing(await settled(kafka)) == 0
    await until(lambda: asyncio.to_thread(lambda: not fleet.ending()), 30)
    assert (fleet.done["ended -9"], fleet.done["ended 0"]) == (1, 1)
    figures = await shape.figures(kafka.bootstrap)
    assert figures["records"] >= 10_000
    assert {name: figures[name] for name in ("missing", "wrong", "unverified")} == {
        "missing": 0,
        "wrong": 0,
        "unverified": 0,
    }
    assert not [row for row in fleet.logged() if row["event"] == "frames_missing_in_audit"]


async def test_a_session_remembers_its_secrets_after_a_kill_and_kafka_never_has_them(
    kafka: KafkaAddress, fleet: Fleet
) -> None:
    await ensure_topics(kafka)
    secret, key = made("flow", 20), b"session-of-secrets"
    masked = DeepMasker(MASKING_KEY, "secrets").mask(KINDS["dotenv"](secret).encode())
    given = [
        {"path": "", "rule": row.rule, "start": 0, "end": 1, "pseudonym": row.pseudonym}
        for row in masked.redactions
    ]
    hidden = secret[::-1].encode()
    fleet.add()
    await ready(fleet)
    await fill(kafka.bootstrap, "frames", [(1, key, frame_value(1, masked.text, redactions=given))])
    await settled(kafka)
    fleet.kill()
    fleet.add()
    await ready(fleet)
    await fill(kafka.bootstrap, "frames", [(1, key, frame_value(2, b"see " + hidden, direction="response"))])
    assert missing(await settled(kafka)) == 0
    last = [row for row in await read_all(kafka.bootstrap, "audit", PARTITIONS) if row.key == key][-1]
    assert [row["rule"] for row in codec("audit").decode(last.value)["deep_redactions"]] == [
        "returned:reversed"
    ]
    found = [codec("finding").decode(row.value) for row in await read_all(kafka.bootstrap, "findings", 1)]
    assert [row["rule"] for row in found if "rule: returned:reversed" in row["evidence"]] == [
        "late-redaction"
    ]
    kept = [row for row in await read_all(kafka.bootstrap, CHANGELOG, PARTITIONS) if row.key == key]
    assert [json.loads(row.value)[0] for row in kept] == [1]
    assert (await known_rows(kafka, 1))[key] == json.loads(kept[-1].value)
    for topic in ("audit", "findings", CHANGELOG):
        for row in await read_all(kafka.bootstrap, topic, 1 if topic == "findings" else PARTITIONS):
            assert hidden not in row.value
            assert secret.encode() not in row.value
