"""`evidence` on a running stack: a folder that says how sound the trail is, and a record of who made it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app
from tests.cli.conftest import Asked
from tests.cli.test_export import acts

TIME = ("--since", "2026-01-01", "--until", "2036-01-01")


def test_the_evidence_of_a_running_trail_has_its_verification_and_is_on_the_record(
    trail: Asked, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.yaml"
    made = trail.run("verify", "keys", "--output", str(keys))
    assert made.exit_code == 0, made.output
    folder = tmp_path / "soc2"
    done = trail.run("evidence", "soc2", *TIME, "-o", str(folder), "--keys", str(keys), "--sample", "5")
    assert done.exit_code == 0, done.output
    digest = sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert digest in done.stdout
    manifest = json.loads((folder / "manifest.json").read_text())
    said = trail.run("verify", "--keys", str(keys), "--quiet").exit_code
    assert (
        manifest["verdict"] == ("sound", "tampered", "incomplete")[said]
    )  # frames made for tests have no chain
    assert manifest["populations"]["calls"] >= 1
    coverage = [json.loads(line) for line in (folder / "verification.json").read_text().splitlines()]
    assert sum(row.get("rows", 0) for row in coverage) >= 3
    ended, asked = acts(trail, "export.evidence.soc2", str(folder))
    assert [asked["outcome"], ended["outcome"]] == ["asked", "done"]
    assert json.loads(ended["detail"])["manifest_sha256"] == digest


def test_what_is_wrong_is_told_before_anything_is_made(trail: Asked, tmp_path: Path) -> None:
    wrong = trail.run("evidence", "soc3", *TIME, "-o", str(tmp_path / "x"))
    assert (wrong.exit_code, "there is no framework 'soc3'" in wrong.stderr) == (2, True)
    there = trail.run("evidence", "soc2", *TIME, "-o", str(tmp_path))
    assert (there.exit_code, "is there already" in there.stderr) == (1, True)
    turned = trail.run(
        "evidence", "soc2", "--since", "2036-01-01", "--until", "2026-01-01", "-o", str(tmp_path / "x")
    )
    assert turned.exit_code == 2


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-01-01T00:00:00Z", "2026-01-01"), ("2026-01-01T12:00:00", "2026-01-01T13:00:00+02:00")],
)
def test_a_time_with_a_zone_is_told_from_one_without_which_is_utc(
    since: str, until: str, tmp_path: Path
) -> None:
    times = ("--since", since, "--until", until)
    turned = CliRunner().invoke(app, ["evidence", "soc2", *times, "-o", str(tmp_path / "x")])
    assert (turned.exit_code, "--since must be before --until" in turned.stderr) == (2, True)
