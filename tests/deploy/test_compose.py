"""docker-compose.yml: pinned, unprivileged, bounded, with no password of its own, in line with its configuration."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluicegate.names import PROCESSORS
from sluicegate.settings import Settings, load
from sluicegate.settings.probes import probes_of

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
CONFIGURED = (
    "prepare",
    "gateway",
    "processors",
    "approvals",
    "anomaly",
    "alerts",
    "checkpoints",
    "console",
    "sink",
)
OURS = (*CONFIGURED, "demo-server")
ENVIRONMENT = {
    "KAFKA_CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw",
    "KAFKA_PASSWORD": "one",
    "KAFKA_BROKER_PASSWORD": "two",
    "CLICKHOUSE_PASSWORD": "three",
    "MCP_UPSTREAM": "http://127.0.0.1:9000/mcp",
}

every_service = pytest.mark.parametrize("name", list(SERVICES))


def settings() -> Settings:
    return load(ROOT / "deploy" / "compose" / "sluicegate.yaml", ENVIRONMENT)


@every_service
def test_its_image_has_a_full_version_as_tag(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.\d+)?(-[a-z]+)?", tag), tag


@every_service
def test_it_says_whether_it_is_well_or_ends_by_itself(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD" if "test" in check else SERVICES[name]["restart"] == "no"


@every_service
def test_it_runs_without_root_without_capabilities_on_a_read_only_disk(name: str) -> None:
    service = SERVICES[name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@every_service
def test_its_cpu_memory_and_processes_are_bounded(name: str) -> None:
    assert SERVICES[name]["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}


def test_what_is_published_is_published_on_loopback_alone() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(ports) == ["edge"]
    assert all(port.startswith("127.0.0.1:") for port in ports["edge"])


def test_every_password_is_demanded_and_none_has_a_default() -> None:
    text = COMPOSE.read_text()
    names = set(re.findall(r"\$\{(\w+)", text)) - {
        "MCP_UPSTREAM",
        "GATEWAY_PORT",
        "CONSOLE_PORT",
        "APPROVALS_PORT",
    }
    assert names == {"KAFKA_CLUSTER_ID", "KAFKA_PASSWORD", "KAFKA_BROKER_PASSWORD", "CLICKHOUSE_PASSWORD"}
    for name in names:
        assert f"${{{name}:?" in text
        assert not re.search(rf"\$\{{{name}:?[-+]", text)


def test_the_example_of_the_environment_names_what_is_demanded_and_holds_no_value() -> None:
    example = (ROOT / "deploy" / "compose" / "env.example").read_text()
    demanded = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == demanded


@pytest.mark.parametrize("name", BROKERS)
def test_a_broker_keeps_three_replicas_two_of_them_in_sync_and_elects_no_stale_leader(name: str) -> None:
    told = SERVICES[name]["environment"]
    assert told["KAFKA_DEFAULT_REPLICATION_FACTOR"] == told["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "3"
    assert told["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
    assert told["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"
    assert told["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_each_broker_has_a_number_a_name_and_a_disk_of_its_own() -> None:
    for number, name in enumerate(BROKERS, start=1):
        told = SERVICES[name]["environment"]
        assert told["KAFKA_NODE_ID"] == str(number)
        assert told["KAFKA_ADVERTISED_LISTENERS"] == f"BROKER://{name}:9092"
        assert f"{number}@{name}:9093" in told["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")
        assert SERVICES[name]["volumes"] == [f"{name}:/var/lib/kafka/data"]


def test_ours_is_one_image_of_this_version() -> None:
    import tomllib  # noqa: PLC0415

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"sluicegate:{version}"}


def test_the_configuration_is_valid_and_names_services_that_are_there() -> None:
    found = settings()
    hosts = {address.split(":")[0] for address in found.kafka.bootstrap.split(",")}
    assert hosts == set(BROKERS)
    assert found.clickhouse.dsn == "clickhouse://sluicegate:three@clickhouse:8123/audit"
    assert found.kafka.sasl_password == "one"
    assert SERVICES["clickhouse"]["environment"]["CLICKHOUSE_USER"] == "sluicegate"


def test_health_checks_and_the_way_in_go_where_the_configuration_listens() -> None:
    found = settings()
    edge = (ROOT / "deploy" / "compose" / "edge.cfg").read_text()
    for name, listen in (
        ("gateway", found.gateway.listen),
        ("sink", found.console.listen),
        ("processors", found.processors.listen),
        *((name, "{}:{}".format(*probes_of(found, name, 0))) for name in PROCESSORS if name != "masking"),
        ("console", found.approvals.listen),
    ):
        assert SERVICES[name]["healthcheck"]["test"][-1] == f"http://{listen}/readyz"
    assert found.gateway.listen in edge
    assert found.console.listen in edge
    assert found.approvals.listen in edge


def test_every_processor_runs() -> None:
    only = [service["command"][3] for service in SERVICES.values() if "--only" in service.get("command", ())]
    assert only == list(PROCESSORS)


def test_whoever_gets_the_configuration_gets_every_variable_in_it() -> None:
    wanted = set(
        re.findall(r"\$\{([A-Z_]+)\}", (ROOT / "deploy" / "compose" / "sluicegate.yaml").read_text())
    )
    for name in CONFIGURED:
        assert wanted - {"NAME"} == SERVICES[name]["environment"].keys()


def test_docker_compose_accepts_it() -> None:
    docker = shutil.which("docker")
    if (
        not docker
        or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no docker compose client here")
    command = [docker, "compose", "--file", str(COMPOSE), "--profile", "demo", "config", "--quiet"]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    del environment["KAFKA_PASSWORD"]
    refused = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode != 0
    assert "KAFKA_PASSWORD" in refused.stderr
