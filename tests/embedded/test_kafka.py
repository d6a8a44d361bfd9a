"""The embedded broker as its clients see it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError, UnknownTopicOrPartitionError

from sluicegate.embedded.errors import BrokerError, BrokerNotReady, FormatError, PortInUse
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.kafka_settings import MIB
from sluicegate.embedded.ports import free_port
from sluicegate.embedded.probes import kafka_metadata
from sluicegate.embedded.say import say_nothing


async def create_topic(bootstrap: str, name: str, partitions: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=32 * MIB
    )
    await producer.start()
    try:
        await asyncio.gather(*[(await producer.send(topic, value)) for value in values])
    finally:
        await producer.stop()


async def consume(bootstrap: str, topic: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=32 * MIB
    )
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while len(values) < end:
            values += [
                record.value
                for batch in (await consumer.getmany(timeout_ms=1000)).values()
                for record in batch
            ]
        return values
    finally:
        await consumer.stop()


async def broker_settings(bootstrap: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
        return {entry[0]: entry[1] for entry in answer.resources[0][4]}
    finally:
        await admin.close()


async def test_a_frame_of_sixteen_mebibytes_is_taken_and_given_back(broker: str) -> None:
    await create_topic(broker, "embedded-large")
    large = bytes(16 * MIB)
    await produce(broker, "embedded-large", [large])
    assert await consume(broker, "embedded-large") == [large]


async def test_a_record_above_the_limit_is_refused(broker: str) -> None:
    await create_topic(broker, "embedded-too-large")
    with pytest.raises(MessageSizeTooLargeError):
        await produce(broker, "embedded-too-large", [bytes(18 * MIB)])


async def test_a_topic_that_nobody_created_does_not_appear(broker: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        [described] = await admin.describe_topics(["embedded-never-created"])
        assert described["error_code"] == UnknownTopicOrPartitionError.errno
        assert "embedded-never-created" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_the_broker_runs_with_the_safe_settings(broker: str) -> None:
    settings = await broker_settings(broker)
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["unclean.leader.election.enable"] == "false"
    assert settings["offsets.topic.replication.factor"] == "1"
    assert settings["group.initial.rebalance.delay.ms"] == "0"
    assert settings["group.min.session.timeout.ms"] == "6000"
    assert settings["listeners"].count("127.0.0.1:") == 2


async def test_the_broker_names_itself_on_loopback(broker: str) -> None:
    host, port = broker.split(":")
    brokers, controller = await kafka_metadata(host, int(port))
    assert brokers == {1: (host, int(port))}
    assert controller == 1


def test_disk_sync_before_the_acknowledgement_is_the_default_and_can_be_switched_off(tmp_path: Path) -> None:
    for sync in (True, False):
        KafkaBroker(tmp_path, sync=sync).prepare(say_nothing)
        written = (tmp_path / "server.properties").read_text().splitlines()
        assert ("log.flush.interval.messages=1" in written) is sync
    assert KafkaBroker(tmp_path).sync


async def test_a_taken_port_is_refused_before_the_start_with_its_holder_and_the_setting(
    tmp_path: Path,
) -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{port}.*process \d+.*broker's port"):
            await asyncio.to_thread(KafkaBroker(tmp_path, port=port).prepare, say_nothing)


async def test_a_broker_that_does_not_answer_is_reported_with_its_address(tmp_path: Path) -> None:
    silent = KafkaBroker(tmp_path, port=free_port())
    await asyncio.to_thread(silent.prepare, say_nothing)
    with pytest.raises(BrokerNotReady, match=rf"{silent.bootstrap}.*Read its log"):
        await silent.ready(0.3)


def test_storage_that_lost_its_identity_is_refused_and_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "data" / "frames-0" / "00000000000000000000.log"
    record.parent.mkdir(parents=True)
    record.write_bytes(b"records")
    with pytest.raises(FormatError, match=r"frames-0.*meta\.properties"):
        KafkaBroker(tmp_path).prepare(say_nothing)
    assert record.read_bytes() == b"records"


def test_a_cut_format_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bootstrap.checkpoint").write_bytes(b"cut")
    KafkaBroker(tmp_path).prepare(say_nothing)
    assert "cluster.id=" in (tmp_path / "data" / "meta.properties").read_text()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match="another data_dir"):
        KafkaBroker(tmp_path / "file" / "kafka").prepare(say_nothing)


def test_a_heap_too_small_to_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="128 MiB or more"):
        KafkaBroker(tmp_path, heap_mb=32)
