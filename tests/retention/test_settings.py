"""What the file says on retention: resolved by connection, and what cannot be meant is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.retention_rules import Terms
from sluicegate.settings import Settings, SettingsError, load
from sluicegate.settings.retention import retention_settings, rules_of_file

CONNECTIONS = """connections:
- {name: plain, upstream: "https://a.example/mcp"}
- {name: cards, upstream: "https://b.example/mcp", labels: {data: pci}}
- {name: both, upstream: "https://c.example/mcp", labels: {data: pci, team: sre}}
- {name: own, upstream: "https://d.example/mcp", labels: {data: pci}}
"""


def loaded(folder: Path, text: str) -> Settings:
    (folder / "s.yaml").write_text("identity: {mode: none}\n" + text + "\n" + CONNECTIONS, "utf-8")
    return load(folder / "s.yaml", {})


def told(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as raised:
        loaded(folder, text)
    return str(raised.value)


def test_everything_is_kept_for_ever_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    rules = rules_of_file(loaded(tmp_path, ""))

    assert (rules.of("plain"), rules.of("a connection that came later")) == (Terms(), Terms())


def test_a_connection_goes_before_its_labels_and_of_several_labels_the_longest_counts(tmp_path: Path) -> None:
    rules = rules_of_file(
        loaded(
            tmp_path,
            "retention:\n  days: 400\n  body_days: 90\n"
            "  labels: [{label: data, value: pci, days: 500}, {label: team, value: sre, days: 30, body_days: 10}]\n"
            "  connections: {own: {days: 0, body_days: 7}}",
        )
    )

    assert {name: rules.of(name) for name in ("plain", "cards", "both", "own")} == {
        "plain": Terms(400, 90),
        "cards": Terms(500, 90),
        "both": Terms(500, 90),
        "own": Terms(None, 7),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retention: {days: 3}", "retention.days: must be 7 to 7300 days, or 0 to keep for ever"),
        (
            "retention: {days: 100, minimum_days: 180}",
            "retention.days: is below `retention.minimum_days` (180)",
        ),
        (
            "retention: {days: 30, body_days: 60}",
            "retention.body_days: bodies go with their frames after 30 days",
        ),
        ("retention: {connections: {gone: {days: 30}}}", "there is no connection of this name"),
        (
            "retention: {labels: [{label: data, value: phi}]}",
            "no connection has the label `data` with this value",
        ),
        ("retention: {every: 5s}", "retention.every: is at least `1m`"),
        ("retention: {officer_groups: [legal]}", "retention.officer_groups: is of people who log in"),
        ("retention: {day: 30}", "did you mean `days`?"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in told(tmp_path, text)


def test_the_store_has_a_key_of_its_own_whose_public_half_lies_beside_it(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")

    found = retention_settings(settings)

    assert found == retention_settings(settings)
    assert (settings.data_dir / "keys" / "retention.pub").exists()
    assert (settings.data_dir / "keys" / "retention.key").stat().st_mode & 0o077 == 0
