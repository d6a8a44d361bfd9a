"""Decisions on a real broker: seen by every reader at once, after a restart, and through an outage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from prometheus_client import REGISTRY

from gateway.edge.announce import Announcer, stamp
from gateway.edge.control import Control, in_force
from gateway.sessions import Principal
from gateway.settings import Rate
from schemas.admin import GATEWAY, admin_record
from schemas.control import (
    ControlRecord,
    Lowered,
    ToolPin,
    approval_demanded,
    block_key,
    limits_lowered,
    principal_blocked,
    session_killed,
    token_revoked,
    tool_pinned,
)
from schemas.findings import finding_record
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics
from tests.gateway.control.people import announcing, reading, somebody, until
from tests.support.tcp_proxy import TcpProxy

REPLICAS_SECONDS = 2.0


@pytest.fixture
async def address(broker: str) -> KafkaAddress:
    """The shared broker, with all topics."""
    address = KafkaAddress(broker, embedded=True)
    await ensure_topics(address)
    return address


@pytest.fixture
async def announcer(address: KafkaAddress) -> AsyncIterator[Announcer]:
    async with announcing(address) as announcer:
        yield announcer


def block(who: Principal, expires_at: int | None = None) -> ControlRecord:
    return principal_blocked(
        stamp(), who.issuer, who.subject, by="cli:ann@ops", reason="stolen", expires_at=expires_at
    )


async def told(announcer: Announcer, record: ControlRecord) -> None:
    assert await announcer.control(record["target"], record)


async def test_every_replica_sees_a_block_within_two_seconds(
    address: KafkaAddress, announcer: Announcer
) -> None:
    who = somebody()
    async with reading(address) as one, reading(address) as two:
        await told(announcer, block(somebody()))  # warm
        assert not one.blocked(who)
        started = time.monotonic()
        await told(announcer, block(who))
        await until(lambda: one.blocked(who) == two.blocked(who) == "stolen", REPLICAS_SECONDS)
        took = time.monotonic() - started
        assert took < REPLICAS_SECONDS
        assert await announcer.control(block_key(who.issuer, who.subject), None)
        await until(lambda: not one.blocked(who) and not two.blocked(who), REPLICAS_SECONDS)


async def test_every_replica_sees_what_answers_a_finding_within_two_seconds_and_its_end(
    address: KafkaAddress, announcer: Announcer
) -> None:
    who, session = somebody(), str(uuid4())
    by: Any = {"by": "rule:secret-reads", "reason": "14 secrets", "cause": str(uuid4())}
    demand = approval_demanded(stamp(), session_id=session, **by)
    limit = limits_lowered(stamp(), who.issuer, who.subject, Lowered(0.5, 1), **by)
    async with reading(address) as one, reading(address) as two:
        for record in (demand, limit):
            await told(announcer, record)
        replicas = (one, two)

        def demanded() -> set[str]:
            return {replica.demanded(session, somebody()) for replica in replicas}

        def lowered() -> set[Rate | None]:
            return {replica.lowered(who) for replica in replicas}

        await until(lambda: demanded() == {"14 secrets"}, REPLICAS_SECONDS)
        await until(lambda: lowered() == {Rate(0.5, 1)}, REPLICAS_SECONDS)
        for record in (demand, limit):
            assert await announcer.control(record["target"], None)
        await until(lambda: demanded() == {""} and lowered() == {None}, REPLICAS_SECONDS)


async def test_a_replica_that_starts_knows_what_was_decided_before(
    address: KafkaAddress, announcer: Announcer
) -> None:
    who, freed, session, token = somebody(), somebody(), str(uuid4()), str(uuid4())
    await told(announcer, block(who))
    await told(announcer, block(freed))
    await announcer.control(block_key(freed.issuer, freed.subject), None)
    await told(announcer, session_killed(stamp(), session, by="cli:ann@ops", reason="odd calls"))
    await told(announcer, token_revoked(stamp(), token, by="cli:ann@ops", reason=""))
    async with reading(address) as control:
        assert control.blocked(who)
        assert not control.blocked(freed)
        assert control.killed(session, who) == "odd calls"
        assert control.killed(str(uuid4()), somebody(credential=token)) == "its token was revoked"
        assert control.revoked(token)
        assert not control.killed(str(uuid4()), who)
    targets = {record["target"] for record in await in_force(address)}
    assert {f"kill:{session}", f"revoke:{token}"} <= targets
    assert block_key(freed.issuer, freed.subject) not in targets


async def test_a_block_ends_by_time_without_another_record(
    address: KafkaAddress, announcer: Announcer
) -> None:
    who = somebody()
    async with reading(address) as control:
        await told(announcer, block(who, expires_at=int((time.time() + 0.5) * 1e6)))
        await until(lambda: control.blocked(who))
        await until(lambda: not control.blocked(who), 2.0)


async def test_whoever_listens_is_told_of_each_change_and_a_broken_listener_silences_nobody(
    address: KafkaAddress, announcer: Announcer
) -> None:
    who, heard = somebody(), asyncio.Event()

    def broken() -> None:
        raise ValueError("a listener broke")

    async with reading(address) as control:
        control.subscribe(broken)
        end = control.subscribe(heard.set)
        await told(announcer, block(who))
        async with asyncio.timeout(30):
            await heard.wait()
        assert control.blocked(who)
        end()
        heard.clear()
        await told(announcer, block(other := somebody()))
        await until(lambda: control.blocked(other))
        assert not heard.is_set()


async def test_a_poison_record_is_ignored_and_counted_and_a_block_in_force_stays(
    address: KafkaAddress, announcer: Announcer
) -> None:
    who, later = somebody(), somebody()
    unreadable = REGISTRY.get_sample_value("sluicegate_control_unreadable_total") or 0
    async with reading(address) as control, AIOKafkaProducer(bootstrap_servers=address.bootstrap) as raw:
        await told(announcer, block(who))
        key = block_key(who.issuer, who.subject).encode()
        for value in (b"junk", b"\xc3\x01" + bytes(20), b"x" * 100_000):
            await raw.send_and_wait("control", value, key=key)
        await told(announcer, block(later))
        await until(lambda: control.blocked(later))
        assert control.blocked(who)
    assert (REGISTRY.get_sample_value("sluicegate_control_unreadable_total") or 0) >= unreadable + 3


async def test_pins_are_found_by_connection_and_tool(address: KafkaAddress, announcer: Announcer) -> None:
    tool = f"tool-{uuid4()}"
    async with reading(address) as control:
        pin = ToolPin("aa", annotations={"readOnlyHint": True})
        await told(announcer, tool_pinned(stamp(), "demo", tool, pin, by="gateway"))
        await until(lambda: control.pins.get(("demo", tool)) == pin)


async def test_through_an_outage_the_last_state_stays_and_afterwards_news_arrive(
    network: TcpProxy, kafka: KafkaAddress
) -> None:
    who, later = somebody(), somebody()
    async with announcing(kafka, deadline_seconds=1.0) as announcer, reading(kafka) as control:
        await told(announcer, block(who))
        await until(lambda: control.blocked(who))
        network.cut()
        assert not await announcer.control(block(later)["target"], block(later))
        assert not announcer.ready
        assert control.ready
        assert control.blocked(who)
        network.release()
        async with asyncio.timeout(20):
            while not await announcer.control(block(later)["target"], block(later)):
                pass
        await until(lambda: control.blocked(later), REPLICAS_SECONDS)


async def test_a_reader_that_hears_nothing_says_so_and_catches_up(
    network: TcpProxy, kafka: KafkaAddress
) -> None:
    who = somebody()
    control = Control(kafka, ask_seconds=0.2)
    control.start()
    try:
        async with announcing(kafka) as announcer:
            await until(lambda: control.ready, 30)
            network.stall()
            await until(lambda: "cannot be read" in control.fault, 20)
            assert control.ready
            assert control.unheard_seconds > 0.2
            network.release()
            await until(lambda: announcer.ready, 20)
            await told(announcer, block(who))
            await until(lambda: control.blocked(who), 20)
            await until(lambda: control.fault == "", 20)
    finally:
        await control.stop()


async def test_at_start_without_kafka_it_is_not_ready(silent_port: int) -> None:
    control = Control(KafkaAddress(f"127.0.0.1:{silent_port}", embedded=True))
    control.start()
    await until(lambda: "cannot be read" in control.fault)
    assert not control.ready
    await control.stop()


async def test_an_announcer_without_kafka_says_no_within_its_deadline(silent_port: int) -> None:
    address = KafkaAddress(f"127.0.0.1:{silent_port}", embedded=True)
    async with announcing(address, deadline_seconds=0.2) as announcer:
        started = time.monotonic()
        assert not await announcer.admin(admin_record(stamp(), GATEWAY, "policy.load", "demo", "done"))
        assert time.monotonic() - started < 1.0
        assert "cannot be reached" in announcer.fault


async def test_acts_and_findings_are_acknowledged(announcer: Announcer) -> None:
    assert await announcer.admin(admin_record(stamp(), GATEWAY, "policy.load", "demo", "done"))
    at = stamp().at
    finding = finding_record("tool-changed", "high", "a tool changed", ["demo", "get_pod"], raised_at=at)
    assert await announcer.finding(finding)
    assert finding == finding_record(
        "tool-changed", "high", "a tool changed", ["demo", "get_pod"], raised_at=at
    )


async def test_a_control_record_under_another_key_is_never_sent(announcer: Announcer) -> None:
    with pytest.raises(ValueError, match="target"):
        await announcer.control("block:x|y", block(somebody()))


async def test_a_control_topic_that_could_forget_is_unsafe(address: KafkaAddress) -> None:
    admin = AIOKafkaAdminClient(**address.client_options())
    await admin.start()

    async def set_policy(policy: str) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, "control", configs={"cleanup.policy": policy})
        await admin.alter_configs([resource])

    try:
        await check_topics(address)
        await set_policy("delete")
        with pytest.raises(KafkaUnsafeError, match=r"control has cleanup\.policy=delete, needs compact"):
            await check_topics(address)
    finally:
        await set_policy("compact")
        await admin.close()


async def test_a_block_is_heard_after_the_way_to_kafka_was_cut_for_a_while(
    kafka: KafkaAddress, network: TcpProxy
) -> None:
    who, control = somebody(), Control(kafka, ask_seconds=0.3)
    control.start()
    await control.wait_ready()
    for _ in range(3):
        network.cut()
        await until(lambda: "cannot be read" in control.fault, 30)
        network.release()
        await until(lambda: not control.fault, 30)
    async with announcing(kafka) as announcer:
        await announcer.control(block_key(who.issuer, who.subject), block(who))
        await until(lambda: control.blocked(who) == "stolen", 30)
    await control.stop()
