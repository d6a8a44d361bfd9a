"""Commands that hand something out leave a record first; where they cannot, nothing is handed out."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.kafka import KafkaAddress
from sluicegate.cli.app import app
from sluicegate.cli.decisions import Act
from sluicegate.cli.failures import Failure
from sluicegate.cli.recorded import recorded
from tests.cli.test_decisions import configured

pytestmark = pytest.mark.usefixtures("impatient")
TIME = ("--since", "2026-01-01", "--until", "2026-02-01")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluicegate.cli.recorded.DEADLINE_SECONDS", 0.5)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "jsonl", *TIME, "--to"), "nothing was exported, because it could not be recorded"),
        (("evidence", "soc2", *TIME, "-o"), "nothing was made, because it could not be recorded"),
    ],
)
def test_without_kafka_nothing_is_handed_out_and_the_command_says_so(
    words: tuple[str, ...], told: str, tmp_path: Path, silent_port: int
) -> None:
    config, folder = configured(tmp_path, f"127.0.0.1:{silent_port}"), tmp_path / "made"
    result = CliRunner().invoke(app, [*words, str(folder), "--config", str(config)])
    assert (result.exit_code, result.stdout, folder.exists()) == (1, "", False)
    assert told in result.stderr
    assert "cannot be reached" in result.stderr


def test_work_that_cannot_be_recorded_does_not_begin(silent_port: int) -> None:
    nowhere, began = KafkaAddress(f"127.0.0.1:{silent_port}"), []
    with pytest.raises(Failure, match="nothing was exported"), recorded(nowhere, Act("a", "b"), "exported"):
        began.append(True)
    assert began == []
