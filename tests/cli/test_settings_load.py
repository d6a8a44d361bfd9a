"""The file is read as written; every part gets what it says."""

import dataclasses
from pathlib import Path
from textwrap import dedent

import pytest

from gateway.settings import Connection, ConnectionKind, GatewaySettings, Limits, StdioLimits, Timeouts
from masking.profiles import PROFILES
from schemas.kafka import KafkaAddress
from sluicegate.embedded.datadir import DataDir, RunState
from sluicegate.settings import Settings, SettingsError, load
from sluicegate.settings.approvals import holding
from sluicegate.settings.blocks import Block
from sluicegate.settings.connection import ConnectionBlock, StdioBlock, TimeoutsBlock
from sluicegate.settings.keys import KeyFileError, masking_key
from sluicegate.settings.load import STARTER
from sluicegate.settings.model import GatewayBlock, LimitsBlock
from sluicegate.settings.parts import NotRunningError

AS_IN_THE_README = """\
data_dir: ./var
gateway: {listen: "127.0.0.1:8080", workers: 1}
console: {listen: "127.0.0.1:8081"}
kafka: {bootstrap: embedded}            # or host:port,host:port with security options
clickhouse: {dsn: embedded}             # or clickhouse://user:password@host:8123/database
identity: {mode: none}                  # explicit, loopback only; OIDC is another issue
connections:
  - {name: demo, kind: mcp, upstream: "http://127.0.0.1:9000/mcp"}
"""
SMALLEST = 'identity: {mode: none}\nconnections: [{name: demo, upstream: "http://127.0.0.1:9000/mcp"}]\n'


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "sluicegate.yaml"
    file.write_text(dedent(text), "utf-8")
    return load(file, environ)


def test_the_usual_file_loads_as_it_is_written(tmp_path: Path) -> None:
    settings = loaded(tmp_path, AS_IN_THE_README)
    assert settings.data_dir == tmp_path / "var"
    assert settings.kafka.bootstrap == settings.clickhouse.dsn == "embedded"
    assert settings.gateway_settings() == GatewaySettings(
        host="127.0.0.1",
        port=8080,
        connections=(Connection("demo", ConnectionKind.MCP, upstream="http://127.0.0.1:9000/mcp"),),
        masking_key=masking_key(tmp_path / "var"),
        holding=holding(settings),
    )


def test_the_smallest_file_means_the_same_as_the_usual_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, SMALLEST) == loaded(tmp_path, AS_IN_THE_README)


def test_the_file_shown_to_a_new_user_loads(tmp_path: Path) -> None:
    assert loaded(tmp_path, STARTER) == loaded(tmp_path, AS_IN_THE_README)


def test_data_dir_is_relative_to_the_folder_of_the_file_whatever_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert loaded(tmp_path, SMALLEST).data_dir == tmp_path / "var"


def test_a_stdio_connection_reaches_the_gateway_with_its_bounds(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """\
        identity: {mode: none}
        connections:
          - name: files
            command: [npx, server-filesystem, /srv]
            env: {TOKEN: "${FILES_TOKEN}", PLAIN: a}
            masking: strict
            stdio: {processes_max: 3, idle_seconds: 10}
            timeouts: {connect_seconds: 1, response_seconds: 2.5}
        """,
        FILES_TOKEN="t0ken",
    )
    (connection,) = settings.gateway_settings().connections
    assert connection == Connection(
        "files",
        command=("npx", "server-filesystem", "/srv"),
        env=(("TOKEN", "t0ken"), ("PLAIN", "a")),
        masking="strict",
        stdio=StdioLimits(processes_max=3, idle_seconds=10),
        timeouts=Timeouts(connect_seconds=1, response_seconds=2.5),
    )


def test_brokers_of_a_cluster_keep_their_security_options(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    settings = loaded(
        tmp_path,
        SMALLEST
        + """\
kafka:
  bootstrap: kafka-1:9092, kafka-2:9092
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-512
  sasl_username: gateway
  sasl_password: ${KAFKA_PASSWORD}
  ca_file: ca.pem
clickhouse: {dsn: "clickhouse://audit:${CH_PASSWORD}@ch:8123/audit"}
""",
        KAFKA_PASSWORD="k-word",
        CH_PASSWORD="c-word",
    )
    assert settings.kafka_address() == KafkaAddress(
        bootstrap="kafka-1:9092,kafka-2:9092",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="gateway",
        sasl_password="k-word",
        ca_file=str(tmp_path / "ca.pem"),
    )
    assert settings.sink_settings().clickhouse.dsn == "clickhouse://audit:c-word@ch:8123/audit"
    assert "word" not in repr(settings).replace("password", "")


def test_two_dollars_write_the_characters_of_a_reference(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        'identity: {mode: none}\nconnections: [{name: a, command: [echo, "$${HOME}", "$5 ${X}"]}]',
        X="y",
    )
    assert settings.connections[0].command == ("echo", "${HOME}", "$5 y")


def test_an_embedded_broker_is_found_by_what_up_wrote_and_missed_clearly_when_nothing_runs(
    tmp_path: Path,
) -> None:
    settings = loaded(tmp_path, SMALLEST)
    with pytest.raises(NotRunningError, match="sluicegate up"):
        settings.kafka_address()
    with DataDir.open(settings.data_dir) as data:
        data.write_state(RunState(bootstrap="127.0.0.1:23456"))
        assert settings.kafka_address() == KafkaAddress("127.0.0.1:23456", embedded=True)


def test_the_masking_key_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    key = masking_key(tmp_path)
    file = tmp_path / "keys" / "masking.key"
    assert len(key) == 32
    assert masking_key(tmp_path) == key != masking_key(tmp_path / "other")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["masking.key"]


def test_a_masking_key_that_others_can_read_or_that_is_cut_is_refused(tmp_path: Path) -> None:
    masking_key(tmp_path)
    file = tmp_path / "keys" / "masking.key"
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        masking_key(tmp_path)
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(KeyFileError, match="has 5 bytes, not 32"):
        masking_key(tmp_path)


@pytest.mark.parametrize(
    ("block", "part"), [(LimitsBlock, Limits), (TimeoutsBlock, Timeouts), (StdioBlock, StdioLimits)]
)
def test_a_block_has_the_fields_and_defaults_of_its_part(block: type[Block], part: type) -> None:
    assert block().model_dump() == dataclasses.asdict(part())


def test_the_other_defaults_are_those_of_the_gateway() -> None:
    connection = Connection(name="a")
    block = ConnectionBlock(name="a")
    assert (block.masking, block.connections_max) == (connection.masking, connection.connections_max)
    gateway = GatewaySettings("", 0, ())
    for name in ("workers", "instance", "record_deadline_seconds"):
        assert getattr(GatewayBlock(), name) == getattr(gateway, name)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_masking_profile_can_be_named(tmp_path: Path, profile: str) -> None:
    settings = loaded(tmp_path, SMALLEST.replace("name: demo", f"name: demo, masking: {profile}"))
    assert settings.connections[0].masking == profile


def test_a_missing_file_gives_an_error_that_shows_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path / "sluicegate.yaml")
    assert "no such file" in str(raised.value)
    assert STARTER in str(raised.value)
