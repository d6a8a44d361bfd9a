"""The fixtures by which one suite runs on containers and on the embedded parts."""

import subprocess
from pathlib import Path

import pytest

from schemas.kafka import KafkaAddress, check_topics, ensure_topics
from sinks.clickhouse import ClickHouseAddress
from tests.support.containers import clickhouse_address as clickhouse_address  # noqa: PLC0414
from tests.support.containers import clickhouse_container as clickhouse_container  # noqa: PLC0414
from tests.support.containers import container_engine as container_engine  # noqa: PLC0414
from tests.support.containers import database_of, engine_missing, image_of
from tests.support.containers import kafka_address as kafka_address  # noqa: PLC0414
from tests.support.containers import kafka_container as kafka_container  # noqa: PLC0414


async def test_topics_can_be_made_on_each_kafka_and_are_safe(kafka_address: KafkaAddress) -> None:
    await ensure_topics(kafka_address)
    assert set(await check_topics(kafka_address)) >= {"frames", "audit"}


@pytest.mark.containers
def test_a_server_in_a_container_answers(clickhouse_container: ClickHouseAddress) -> None:
    client = clickhouse_container.connect()
    assert client.query("SELECT 1").result_rows == [(1,)]
    client.close()


def test_an_address_is_given_for_each_clickhouse(clickhouse_address: ClickHouseAddress) -> None:
    own = database_of(clickhouse_address, "mine")
    assert own.database == ("audit" if own.embedded else "mine")


def test_a_missing_engine_is_told_and_never_an_error() -> None:
    docker_says = (
        subprocess.run(["docker", "info"], capture_output=True, check=False).returncode if _docker() else 1
    )
    assert bool(engine_missing()) == bool(docker_says)


def test_containers_are_those_of_the_production_shape() -> None:
    assert image_of("kafka-1").startswith("apache/kafka:")
    assert image_of("clickhouse").startswith("clickhouse/clickhouse-server:")


def _docker() -> bool:
    import shutil  # noqa: PLC0415

    return bool(shutil.which("docker")) and Path("/var/run").exists()
