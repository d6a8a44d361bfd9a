"""Health of the pipeline: what parts say where they are reached, how far behind they are, and else `not known`."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from console.web.pages.health import verdict_of
from console.web.pages.health_kafka import KafkaHealth, ask_kafka
from console.web.pages.health_parts import PartHealth, ask_parts, figures_of
from console.web.settings import PartProbe
from processors.kafka_view import KafkaView
from schemas.checkpoints import (
    CheckpointRecord,
    anchor_record,
    checkpoint_key,
    checkpoint_record,
    checkpoint_value,
    tree_head,
)
from schemas.kafka import KafkaAddress
from schemas.merkle import leaf_hash, root_of
from schemas.notes import Note, NoteKey
from sluicegate.settings.load import load
from sluicegate.settings.web_parts import part_probes
from tests.console.conftest import Floor
from tests.console.web.serving import served_web, web_settings
from tests.console.web_inbox.conftest import ROLES, Desk, Stored
from tests.console.web_inbox.storing import store_settings
from tests.processors.trail import create_topics, fill, until
from tests.sinks.records import Trail


@pytest.fixture
async def watched(stored: Stored, silent_port: int, tmp_path: Path) -> AsyncIterator[Desk]:
    """A console that was told of three parts, of which one runs."""
    parts = (
        PartProbe("store", f"http://127.0.0.1:{stored.port}"),
        PartProbe("gateway", f"http://127.0.0.1:{silent_port}"),
        PartProbe("masking 1", port_file=tmp_path / "never-written"),
    )
    web = web_settings(tmp_path, store=store_settings(stored.home, stored.port), roles=ROLES, parts=parts)
    async with served_web(stored.floor, tmp_path, web=web) as served:
        yield Desk(served, stored.floor)


async def test_a_part_that_answers_is_shown_and_of_others_it_is_not_known(watched: Desk) -> None:
    page = await watched.as_("ann", "owners").get("/health")
    assert page.status == 200
    row = r'<th scope="row">([^<]+)</th>\s*<td><span class="badge \w+">([^<]+)</span>'
    rows = dict(re.findall(row, page.text))
    assert rows == {"store": "ready", "gateway": "not known", "masking 1": "not known"}
    assert "It is not known how these are: gateway, masking 1." in page.text
    assert "records not stored yet" in page.text
    assert (await watched.as_("zoe", "others").get("/health")).status == 403


async def test_the_lag_of_the_store_is_what_it_has_not_committed(stored: Stored) -> None:
    trail = Trail(lane=f"lag/{uuid4()}/0/0", started_us=time.time_ns() // 1_000)
    trail.exchange(session_id=str(uuid4()))
    await fill(stored.floor.broker, "audit", [(2, b"k", value) for value in trail.values])

    async def stored_all() -> bool:
        found = await ask_kafka(stored.floor.kafka)
        assert found.fault == ""
        return {lag.topic: lag.records for lag in found.lags if lag.part == "store"}["audit"] == 0

    await until(stored_all, 60)
    lags = {(lag.part, lag.topic): lag.records for lag in (await ask_kafka(stored.floor.kafka)).lags}
    assert lags["anomalies", "audit"] is None


async def test_the_newest_checkpoint_tells_its_age_and_what_is_not_signed_behind_it(floor: Floor) -> None:
    topic, now = f"checkpoints-{uuid4().hex[:8]}", time.time_ns() // 1_000
    await create_topics(floor.broker, [topic], 2)
    trail = Trail(lane=f"signed/{uuid4()}/0/0", started_us=now)
    await fill(floor.broker, "audit", [(1, b"k", trail.frame(session_id=str(uuid4()))) for _ in range(2)])
    old, new = signed(1, now - 90_000_000), signed(2, now - 30_000_000)
    anchored = anchor_record(new, "file", "/anchors/2", b"", note=new["note"], at=now)
    rows = [(1, checkpoint_key(record), checkpoint_value(record)) for record in (old, new, anchored)]
    await fill(floor.broker, topic, [*rows, (0, b"audit-0", b"no checkpoint")])
    (head,) = (await ask_kafka(floor.kafka, topic)).signed
    assert (head.partition, head.size) == (1, 2)
    assert 30 <= head.age_seconds <= 30 + time.time() - now / 1e6
    async with KafkaView(floor.kafka) as view:
        assert head.unsigned == max(0, (await view.ends("audit", [1]))[1] - 2)


def signed(size: int, at: int) -> CheckpointRecord:
    """A tree head of partition 1."""
    leaves = [leaf_hash(bytes([number]) * 32) for number in range(size)]
    head = tree_head("sluicegate.example.com/audit/1", size, root_of(leaves), 0, at)
    note = str(Note(head.text, (NoteKey(head.origin, b"k" * 32).sign(head.text),)))
    return checkpoint_record(head, note, topic="audit", partition=1, base_offset=0, leaves=leaves, at=at)


async def test_kafka_that_does_not_answer_is_a_fault_and_no_figure(silent_port: int) -> None:
    found = await ask_kafka(KafkaAddress(f"127.0.0.1:{silent_port}", embedded=True))
    assert (found.lags, found.signed) == ((), ())
    assert "does not answer" in found.fault


async def test_something_else_at_the_address_of_a_part_is_not_believed(desk: Desk) -> None:
    (found,) = await ask_parts([PartProbe("gateway", desk.served.url + "/login?")])
    assert (found.state, found.figures) == ("not known", ())


def test_figures_are_those_for_people_and_none_of_a_page_that_is_cut() -> None:
    lags = [f'sluicegate_sink_lag_records{{topic="audit",partition="{n}"}} {n + 3}\n' for n in range(2)]
    page = "".join([*lags, "sluicegate_control_unheard_seconds 1.5\nprocess_open_fds 12\n"])
    assert figures_of(page) == (
        ("seconds without news of what operators decided", 1.5),
        ("records not stored yet", 7.0),
    )
    assert figures_of(page + 'sluicegate_sink_lag_records{topic="au') == ()


@pytest.mark.parametrize(
    ("states", "kafka", "store", "verdict"),
    [
        ((), "", "", "not known"),
        (("ready",), "", "", "ready"),
        (("ready", "not known"), "", "", "not known"),
        (("ready", "not known", "not ready"), "", "", "not ready"),
        (("ready",), "away", "", "away"),
        (("ready",), "", "away", "away"),
    ],
)
def test_what_is_not_known_is_not_called_well(
    states: tuple[str, ...], kafka: str, store: str, verdict: str
) -> None:
    parts = [PartHealth(state, state, "") for state in states]  # type: ignore[arg-type]
    assert verdict_of(parts, KafkaHealth(kafka), store)[0] == verdict


def test_every_part_of_a_stack_is_asked_where_it_listens(tmp_path: Path) -> None:
    file = tmp_path / "sluicegate.yaml"
    file.write_text(
        f"data_dir: {tmp_path}\nprocessors: {{workers: 2}}\nidentity: {{mode: none}}\n"
        'connections: [{name: demo, upstream: "http://127.0.0.1:9000/mcp"}]\n'
    )
    found = {probe.name: probe for probe in part_probes(load(file))}
    assert list(found)[:4] == ["gateway", "masking 1", "masking 2", "approvals"]
    assert found["masking 2"].port_file == tmp_path / "run" / "processors-1.port"
    assert found["store"].url == "http://127.0.0.1:8081"
