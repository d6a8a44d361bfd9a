"""Checkpoints and repeats on their way into the store."""

from __future__ import annotations

import time
from uuid import uuid4

from schemas.checkpoints import (
    anchor_record,
    checkpoint_record,
    checkpoint_value,
    leaf_of,
    origin_of,
    tree_head,
)
from schemas.codec import codec
from schemas.merkle import leaf_hash, root_of
from schemas.notes import Note, NoteKey
from sinks.avro import Placed
from sinks.repeats import Repeats
from tests.sinks.conftest import Topics
from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import Store
from tests.sinks.test_sink import settings_for, sinking


async def test_a_checkpoint_and_its_anchor_are_stored_with_their_leaves(
    store: Store, kafka_topics: Topics
) -> None:
    origin = origin_of(f"log-{uuid4()}", "audit", 3)
    at, leaves = time.time_ns() // 1_000, [leaf_hash(bytes([number])) for number in range(3)]
    head = tree_head(origin, 3, root_of(leaves), 7, at)
    note = str(Note(head.text, (NoteKey(origin, bytes(32)).sign(head.text),)))
    record = checkpoint_record(head, note, topic="audit", partition=3, base_offset=7, leaves=leaves, at=at)
    anchor = anchor_record(record, "file", "/mnt/worm/log", b"line", note=note, at=at + 1)

    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        for each in (record, anchor):
            value = checkpoint_value(each)
            await kafka_topics.producer.send_and_wait(f"{kafka_topics.prefix}-checkpoints", value)
        await running.until(lambda: running.counted("rows_stored_total", table="checkpoints_stored") == 2)

    shown = store.client.query(
        "SELECT kind, base_offset, tree_size, leaves_added, root_hash, note, anchor_kind, place, evidence_bytes"
        " FROM audit.v_checkpoints WHERE origin = {o:String} ORDER BY at",
        {"o": origin},
    ).result_rows
    root = root_of(leaves).hex()
    assert shown == [
        ("checkpoint", 7, 3, 3, root, note, "", "", 0),
        ("anchor", 7, 3, 0, root, note, "file", "/mnt/worm/log", 4),
    ]
    kept = (
        "SELECT hex(leaves) FROM audit.checkpoints_stored WHERE origin = {o:String} AND kind = 'checkpoint'"
    )
    assert store.client.query(kept, {"o": origin}).result_rows == [(b"".join(leaves).hex().upper(),)]


async def test_a_repeat_is_no_row_of_the_trail_and_where_it_lay_stays_known(
    store: Store, kafka_topics: Topics
) -> None:
    lane = f"repeats-{uuid4()}"
    once, other = Trail(lane=lane), Trail(lane=lane, offset=500)
    first, second = once.frame(), once.frame()
    again = (
        other.frame()
    )  # the first frame, produced once more: another place in `frames`, the same chained bytes

    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        await kafka_topics.audit(1, first, again, second, second)
        await running.until(lambda: running.counted("duplicates_dropped_total", table="frames_stored") == 2)

    rows = store.client.query(
        "SELECT k_partition, k_offset, lane_seq, part, frames_offset, hex(digest), hex(audit_digest)"
        " FROM audit.repeats_stored FINAL WHERE lane = {l:String} ORDER BY k_offset",
        {"l": lane},
    ).result_rows
    read = [codec("audit").decode(value) for value in (again, second)]
    assert [row[:5] for row in rows] == [
        (1, 1, 1, 1, read[0]["frames_offset"]),
        (1, 3, 2, 1, read[1]["frames_offset"]),
    ]
    assert [row[5:] for row in rows] == [
        (frame["digest"].hex().upper(), frame["audit_digest"].hex().upper()) for frame in read
    ]
    assert leaf_hash(read[0]["audit_digest"]) == leaf_of(again) != leaf_of(first)


def test_a_batch_that_is_stored_again_takes_its_own_rows_for_no_repeats(store: Store) -> None:
    trail = Trail(lane=f"again-{uuid4()}")
    values = [trail.frame() for _ in range(4)]
    offset = 7_000_000
    fill(store.client, values[:3], partition=2, first=offset)
    placed = [Placed(2, offset + at, value) for at, value in enumerate([*values[:3], values[0]])]

    Repeats().note(store.client, "audit", placed, f"again-{uuid4()}")

    rows = "SELECT k_partition, k_offset, lane_seq FROM audit.repeats_stored WHERE lane = {l:String}"
    assert store.client.query(rows, {"l": trail.lane}).result_rows == [(2, offset + 3, 1)]
