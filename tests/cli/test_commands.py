"""The command line itself: help, exit codes, errors without tracebacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app
from sluicegate.cli.config import schema_text

GOOD = 'identity: {mode: none}\nconnections: [{name: demo, upstream: "http://127.0.0.1:9000/mcp"}]\n'
SLOW_TO_IMPORT = (
    "aiohttp",
    "aiokafka",
    "botocore",
    "chdb",
    "faust",
    "google",
    "hyperscan",
    "mcp",
    "pydantic",
    "uvicorn",
)
LOADED = """
import sys
from sluicegate.cli import main
sys.argv[1:] = ["--help"]
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "sluicegate", *words]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def test_help_is_there_at_once() -> None:
    """It waits for nothing that takes its time to import: those parts are loaded by the commands that need them."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=False
    )
    assert "dead-letters" in done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    assert not loaded & set(SLOW_TO_IMPORT)


@pytest.mark.parametrize(
    "words",
    [
        ("up",),
        ("gateway",),
        ("processors",),
        ("console",),
        ("sink",),
        ("check",),
        ("sessions", "list"),
        ("frames",),
        ("query", "SELECT 1"),
        ("completeness",),
        ("dead-letters", "list"),
        ("dead-letters", "redrive"),
    ],
    ids=" ".join,
)
def test_without_a_configuration_every_command_shows_how_to_write_one(
    folder: Path, words: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == 2
    assert "sluicegate.yaml: there is no such file. Write one, for example:" in result.stderr
    assert "identity: {mode: none}" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [("gateway",), ("processors",), ("console",), ("sink",), ("completeness",), ("dead-letters", "list")],
    ids=" ".join,
)
def test_what_needs_the_embedded_broker_says_how_to_start_it(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "sluicegate.yaml").write_text(GOOD, "utf-8")
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == 1
    assert "Start it with `sluicegate up`" in result.stderr


def test_a_processor_that_there_is_not_is_told(folder: Path) -> None:
    result = CliRunner().invoke(app, ["processors", "--only", "alert"])
    assert result.exit_code == 2
    assert "no processor 'alert'; there are masking, approvals, anomaly, alerts" in result.stderr


@pytest.mark.parametrize("words", [("sessions", "list"), ("frames",), ("query", "SELECT 1")], ids=" ".join)
def test_what_needs_the_store_says_how_to_start_it(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "sluicegate.yaml").write_text(GOOD, "utf-8")
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == 1
    assert "sluicegate up" in result.stderr


def test_a_good_file_is_called_good_and_makes_nothing(folder: Path) -> None:
    (folder / "my.yaml").write_text(GOOD, "utf-8")
    result = CliRunner().invoke(app, ["check", "my.yaml"])
    assert result.exit_code == 0
    assert result.stdout == "my.yaml: good (1 connections: demo)\n"
    assert [entry.name for entry in folder.iterdir()] == ["my.yaml"]


def hinted(folder: Path, policy: str, settings: str = "identity: {mode: none}\n") -> list[str]:
    (folder / "p.yaml").write_text(f"default: allow\n{policy}\n", "utf-8")
    connection = '{name: demo, upstream: "http://127.0.0.1:9/mcp", policy: p.yaml}'
    (folder / "my.yaml").write_text(f"{settings}connections: [{connection}]\n", "utf-8")
    result = CliRunner().invoke(app, ["check", "my.yaml"])
    assert result.exit_code == 0, result.output
    return [line.removeprefix("hint: ") for line in result.stdout.splitlines()[1:]]


def test_a_pack_whose_holds_nobody_can_approve_is_hinted_at(folder: Path) -> None:
    oidc = (
        "identity: {mode: oidc, public_url: 'https://gw.example.com', "
        "issuers: [{name: a, issuer: 'https://id.example.com'}]}\n"
    )
    (hint,) = hinted(folder, "packs: [git]", oidc)
    assert hint.startswith("connection demo: nobody can approve what these rules hold: git/delete-ref; give")
    assert hinted(folder, "packs: [{pack: git, reviewers: [leads]}]", oidc) == []


def test_reviewers_that_nobody_is_without_identity_are_hinted_at(folder: Path) -> None:
    held = "packs: [{pack: git, reviewers: [no-such-group, root, 'terminal:ann@pc']}]"
    refused, strangers = hinted(folder, held)
    assert (
        "held calls are never approved: set `identity.mode: oidc`, or `approvals.anonymous: allow`" in refused
    )
    assert strangers.endswith("these groups are neither: no-such-group")
    people = "approvals: {anonymous: allow, people: [{names: ['slack:T/U'], groups: [no-such-group]}]}\n"
    assert hinted(folder, held, f"identity: {{mode: none}}\n{people}") == []


def test_a_bad_file_is_told_to_people_and_programs(folder: Path) -> None:
    (folder / "my.yaml").write_text(GOOD + "kafka: {sinc: true}\n", "utf-8")
    people = CliRunner().invoke(app, ["check", "my.yaml"])
    assert people.exit_code == 2
    assert people.stderr == "sluicegate: my.yaml:3:9: kafka.sinc: unknown setting; did you mean `sync`?\n"
    programs = CliRunner().invoke(app, ["check", "my.yaml", "--json"])
    assert programs.exit_code == 2
    assert json.loads(programs.stdout) == {
        "file": "my.yaml",
        "line": 3,
        "column": 9,
        "problem": "kafka.sinc: unknown setting; did you mean `sync`?",
    }


def test_a_hostile_file_name_cannot_act_on_the_terminal(folder: Path) -> None:
    result = CliRunner().invoke(app, ["check", "\x1b[31m.yaml"])
    assert "\x1b" not in result.stderr
    assert "\\x1b[31m.yaml" in result.stderr


def test_an_expected_failure_has_no_traceback(folder: Path) -> None:
    done = command("frames", "--config", str(folder / "none.yaml"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("sluicegate: ")


@pytest.mark.parametrize(
    "words", [("frames", "--session", "x"), ("nonsense",), ("sessions", "show")], ids=" ".join
)
def test_a_wrong_command_line_exits_with_2(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, [*words]).exit_code == 2


def test_the_version_is_shown() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("sluicegate ")


def test_the_published_schema_is_current() -> None:
    published = Path(__file__).parents[2] / "sluicegate" / "config.schema.json"
    assert published.read_text("utf-8") == schema_text(), (
        "renew it: sluicegate config schema > sluicegate/config.schema.json"
    )


def test_mask_masks_lines_and_knows_its_profiles() -> None:
    key = "AKIA" + "Q3EXAMPLE7JKLMNO"[:16]
    done = command("mask", stdin=json.dumps({"id": 1, "text": f"aws_access_key_id = {key}"}) + "\n")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["id"] == 1
    assert key not in row["masked"]
    assert command("mask", "--profile", "none").returncode == 2


def test_a_closed_pipe_ends_a_command_quietly(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "sluicegate", "config", "schema"]
    done = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert "Traceback" not in done.stderr


def test_bytes_that_are_no_text_end_no_command() -> None:
    argv = [sys.executable, "-m", "sluicegate", "mask"]
    lines = b'{"id": 1, "text": "a\xff"}\n{"id": 2, "text": "\xc3\xa4"}\n'
    done = subprocess.run(
        argv, input=lines, env={"LC_ALL": "C"}, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]


@pytest.mark.parametrize(
    "words", [("completeness",), ("dead-letters", "list"), ("dead-letters", "redrive")], ids=" ".join
)
def test_brokers_that_do_not_answer_are_told(folder: Path, silent_port: int, words: tuple[str, ...]) -> None:
    kafka = f'kafka: {{bootstrap: "127.0.0.1:{silent_port}"}}\n'
    (folder / "sluicegate.yaml").write_text(GOOD + kafka, "utf-8")
    done = command(*words)
    assert done.returncode == 1
    assert done.stderr.startswith("sluicegate: ")
    assert len(done.stderr.splitlines()) == 1
