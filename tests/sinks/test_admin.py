"""Acts of operators: stored once whatever is repeated, and read back latest first."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from schemas.admin import Actor, admin_record, admin_value
from schemas.stamps import Stamp
from sinks.readers import AdminFilter
from sinks.sql_reader import SqlReader
from tests.sinks.conftest import StoreProcess, Topics
from tests.sinks.shared_store import Store
from tests.sinks.test_sink import settings_for, sinking
from tests.sinks.test_store_process import until


def act(actor: str, action: str = "session.kill", **fields: Any) -> bytes:
    stamp = Stamp(str(uuid4()), time.time_ns() // 1_000)
    target, outcome = fields.pop("target", "s-1"), fields.pop("outcome", "done")
    return admin_value(admin_record(stamp, Actor("cli", actor), action, target, outcome, **fields))


async def test_an_act_that_is_repeated_is_one_row(store: Store, kafka_topics: Topics) -> None:
    actor = f"ann-{uuid4()}"
    values = [act(actor, reason="odd calls", detail={"n": n}) for n in range(3)]
    count = "SELECT count() FROM audit.v_admin WHERE actor = {a:String}"

    def seen() -> int:
        return int(store.client.query(count, {"a": actor}).result_rows[0][0])

    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        await kafka_topics.admin(*values)
        await running.until(lambda: seen() == 3)
        await kafka_topics.admin(*values, act(actor, "principal.block", target="|mallory"))
        await running.until(lambda: seen() == 4)
        await running.until(lambda: running.counted("rows_stored_total", table="admin_stored") == 7)
    assert seen() == 4


async def test_acts_are_read_latest_first_and_narrowed_down(store: Store, kafka_topics: Topics) -> None:
    actor = f"ann-{uuid4()}"
    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        await kafka_topics.admin(
            act(actor, reason="first", detail={"a": 1}), act(actor, "principal.block", target="|mallory")
        )
        await running.until(lambda: running.counted("rows_stored_total", table="admin_stored") == 2)
    reader = SqlReader(store.address)
    found = await reader.admin(AdminFilter(actor=actor), 10)
    assert [row["action"] for row in found] == ["principal.block", "session.kill"]
    first = found[1]
    assert (first["actor_kind"], first["actor"], first["reason"]) == ("cli", actor, "first")
    assert (first["target"], first["outcome"], first["detail"]) == ("s-1", "done", '{"a":1}')
    assert await reader.admin(AdminFilter(actor=actor, action="session.kill"), 10) == [first]
    assert await reader.admin(AdminFilter(actor=actor, target="|mallory"), 10) == [found[0]]
    assert await reader.admin(AdminFilter(actor=actor, since="2100-01-01"), 10) == []
    assert len(await reader.admin(AdminFilter(actor=actor), 1)) == 1
    await reader.close()


async def test_a_poison_act_is_a_dead_letter_and_the_others_are_stored(
    store: Store, kafka_topics: Topics
) -> None:
    actor = f"ann-{uuid4()}"
    async with sinking(settings_for(store, kafka_topics), kafka_topics) as running:
        await kafka_topics.admin(act(actor), b"junk", act(actor)[:-3], act(actor))
        await running.until(lambda: running.counted("rows_stored_total", table="admin_stored") == 2)
    assert len(await kafka_topics.dead(2)) == 2


@pytest.mark.timeout(400)  # the store process starts twice, perhaps on a busy machine
async def test_acts_are_asked_for_over_http_and_outlive_the_process(
    store_process: StoreProcess, kafka_topics: Topics
) -> None:
    actor, count = f"ann-{uuid4()}", "SELECT count() FROM audit.v_admin"
    await kafka_topics.admin(act(actor), act(actor, "principal.block"))
    reader = store_process.reader()
    await until(reader, count, [2])
    await reader.close()
    store_process.kill()
    store_process.start()
    await store_process.ready()
    reader = store_process.reader()
    await kafka_topics.admin(act(actor))
    await until(reader, count, [3])
    found = await reader.admin(AdminFilter(actor=actor, action="principal.block"), 5)
    assert [row["target"] for row in found] == ["s-1"]
    await reader.close()
