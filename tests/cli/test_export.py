"""`export` on a running stack: what goes out, what is refused, and what the trail says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Asked


def acts(trail: Asked, action: str, target: str) -> list[dict[str, str]]:
    """What the trail has of the one export to `target`, the latest first: that it was asked for, and how it ended."""
    return trail.rows(2, "admin", "list", "--action", action, "--target", target)


def test_an_export_is_on_the_record_before_and_after_with_what_it_came_to(
    trail: Asked, tmp_path: Path
) -> None:
    to = str(tmp_path / "out")
    done = trail.run(
        "export",
        "ocsf",
        "--to",
        to,
        "--since",
        "2026-01-01",
        "--what",
        "exchanges",
        "--reason",
        "for the SIEM",
    )
    assert done.exit_code == 0, done.output
    parts = sorted((tmp_path / "out").rglob("*.jsonl"))
    rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert trail.exchange in {row["metadata"]["uid"] for row in rows}
    ended, asked = acts(trail, "export.ocsf", to)
    assert [asked["outcome"], ended["outcome"]] == ["asked", "done"]
    assert (ended["target"], ended["reason"]) == (to, "for the SIEM")
    assert json.loads(ended["detail"])["counts"] == {"exchanges": len(rows)}


def test_lines_go_to_standard_output_and_the_summary_does_not(trail: Asked) -> None:
    done = trail.run("export", "cef", "--to", "-", "--since", "2026-01-01", "--what", "exchanges")
    assert done.exit_code == 0, done.output
    assert all(line.startswith("CEF:0|Sluicegate|") for line in done.stdout.splitlines())
    assert "exported" in done.stderr


def test_a_folder_may_be_named_like_the_beginning_of_a_scheme(
    trail: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = trail.run("export", "jsonl", "--to", "http-logs", "--since", "2026-01-01", "--what", "exchanges")
    assert done.exit_code == 0, done.output
    assert list((tmp_path / "http-logs").rglob("*.jsonl"))


def test_what_cannot_be_delivered_is_told_and_on_the_record_as_failed(trail: Asked) -> None:
    to = "syslog+tcp://127.0.0.1:9"
    done = trail.run("export", "cef", "--to", to, "--since", "2026-01-01")
    assert done.exit_code == 1
    assert f"{to} does not take what is exported" in done.stderr
    failed, asked = acts(trail, "export.cef", to)
    assert [asked["outcome"], failed["outcome"]] == ["asked", "failed"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["otlp", "--to", "folder"], "give the URL of a collector"),
        (["parquet", "--to", "-"], "give a folder or s3://"),
        (["ocsf", "--to", "ftp://x"], "ocsf cannot go to 'ftp://x'"),
        (["cef", "--to", "syslog://x:514"], "or syslog+tcp|tls|udp://HOST:PORT"),
        (["ocsf", "--to", "https://x"], "ocsf cannot go to 'https://x'"),
        (["ocsf", "--to", "x", "--what", "frames"], "frames have no form in ocsf"),
        (["ocsf", "--to", "x", "--what", "admin", "--connection", "demo"], "of no connection"),
        (["ocsf", "--to", "x", "--since", "2026-02-01", "--until", "2026-01-01"], "is not before"),
        (["otlp", "--to", "http://x", "--header", "token"], "NAME=VALUE"),
        (["ocsf", "--to", "x", "--since", "0001-01-01T00:00:00+05:00"], "write an ISO time"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    trail: Asked, words: list[str], told: str
) -> None:
    done = trail.run("export", *words)
    assert done.exit_code == 2
    assert told in done.stderr
