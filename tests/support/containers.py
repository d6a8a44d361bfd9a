"""Kafka and ClickHouse in containers, and the fixtures by which one suite runs on these and on the embedded ones.

A test that asks for `kafka_address` or `clickhouse_address` runs once for each backend. Where no container engine
answers, the runs on containers are skipped and say why. The images are those of docker-compose.yml. Load with
`pytest_plugins = ["tests.support.containers"]`.
"""

import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from docker.errors import DockerException  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient, get_docker_host
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

from schemas.kafka import KafkaAddress
from sinks.clickhouse import ClickHouseAddress
from sluicegate.embedded.ports import free_port

COMPOSE_FILE: Final = Path(__file__).parents[2] / "docker-compose.yml"
DEFAULT_ENGINE: Final = "unix:///var/run/docker.sock"
READY_SECONDS: Final = 90
PASSWORD: Final = "only-for-tests"
BACKENDS: Final = ["embedded", pytest.param("containers", marks=pytest.mark.containers)]


@cache
def engine_missing() -> str:
    """Why containers cannot be run here, or ''."""
    host = get_docker_host() or DEFAULT_ENGINE
    if reason := _unix_fault(host):
        return f"no container engine answers at {host}: {reason}"
    try:
        DockerClient().client.ping()
    except DockerException as error:
        return f"no container engine answers at {host}: {error}"
    return ""


def _unix_fault(host: str) -> str:
    """Why nobody listens on a Unix socket. Asked first: the client leaves its socket open when it fails."""
    if not host.startswith("unix://"):
        return ""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(host.removeprefix("unix://"))
        except OSError as error:
            return str(error)
    return ""


def image_of(service: str) -> str:
    """The image that docker-compose.yml runs as `service`."""
    services: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]
    return str(services[service]["image"])


@pytest.fixture(scope="session")
def container_engine() -> None:
    """Skips the test where no container engine runs."""
    if reason := engine_missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka_container(container_engine: None) -> Iterator[KafkaAddress]:
    """One broker in a container. Tests share it: use topic and group names of your own."""
    # The broker tells its clients where to come, so the port is chosen before it starts.
    port = free_port()
    container = _listening(DockerContainer(image_of("kafka-1")), port, port)
    for name, value in _one_broker(port).items():
        container.with_env(name, value)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(READY_SECONDS))
    with container:
        # One broker, as the embedded one: the same settings are safe for it.
        yield KafkaAddress(bootstrap=f"127.0.0.1:{port}", embedded=True)


def _one_broker(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
        "KAFKA_LISTENERS": f"BROKER://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"BROKER://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }


@pytest.fixture(scope="session")
def clickhouse_container(container_engine: None) -> Iterator[ClickHouseAddress]:
    """A ClickHouse server in a container. Tests share it: use a database of your own, by `database_of`."""
    port = free_port()
    container = (
        _listening(DockerContainer(image_of("clickhouse")), 8123, port)
        .with_env("CLICKHOUSE_USER", "sluicegate")
        .with_env("CLICKHOUSE_PASSWORD", PASSWORD)
        .waiting_for(HttpWaitStrategy(8123, "/ping").with_startup_timeout(READY_SECONDS))
    )
    with container:
        yield ClickHouseAddress(f"clickhouse://sluicegate:{PASSWORD}@127.0.0.1:{port}/audit")


def _listening(container: DockerContainer, inside: int, port: int) -> DockerContainer:
    """Publish a port on loopback alone, which `with_bind_ports` cannot say."""
    container.ports[f"{inside}/tcp"] = ("127.0.0.1", port)
    return container


def database_of(address: ClickHouseAddress, name: str) -> ClickHouseAddress:
    """The same server with another database; an embedded store has one only and is given back."""
    if address.embedded:
        return address
    return ClickHouseAddress(f"{address.dsn.rpartition('/')[0]}/{name}", address.data_dir)


@pytest.fixture(scope="session", params=BACKENDS)
def kafka_address(request: pytest.FixtureRequest) -> KafkaAddress:
    """A Kafka of each backend."""
    if request.param == "embedded":
        return KafkaAddress(bootstrap=request.getfixturevalue("broker"), embedded=True)
    address: KafkaAddress = request.getfixturevalue("kafka_container")
    return address


@pytest.fixture(params=BACKENDS)
def clickhouse_address(request: pytest.FixtureRequest, tmp_path: Path) -> ClickHouseAddress:
    """A ClickHouse of each backend; the embedded one is a fresh directory, which only one process may open."""
    if request.param == "embedded":
        return ClickHouseAddress("embedded", tmp_path)
    address: ClickHouseAddress = request.getfixturevalue("clickhouse_container")
    return address
