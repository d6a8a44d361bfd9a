"""The reference of alerts says what the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from processors.alerts.matching import DELIVERY_FAILED
from processors.alerts.metrics import AlertMetrics
from processors.alerts.responses import HELD_BACK, Act
from sluicegate.settings import load

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "reference" / "alerts.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "how-to" / "alerts.md").read_text(encoding="utf-8")


def test_every_metric_stands_in_the_reference_with_its_labels_and_no_other_does() -> None:
    rows = dict(
        re.findall(r"^\| `(sluicegate_alerts_\w+?)(?:_total)?` \| \w+ \| ([^|]*)\|", PAGE, re.MULTILINE)
    )
    metrics = AlertMetrics()
    families = {family.name: family for family in metrics.registry.collect()}
    assert set(rows) == set(families)
    labels = {
        "sluicegate_alerts_findings": metrics.findings,
        "sluicegate_alerts_attempts": metrics.attempts,
        "sluicegate_alerts_responses": metrics.responses,
        "sluicegate_alerts_waiting_findings": metrics.waiting,
        "sluicegate_alerts_failing": metrics.failing,
    }
    for name, metric in labels.items():
        assert rows[name].strip() == ", ".join(metric._labelnames)


def test_every_response_and_every_rule_of_ours_stands_there() -> None:
    assert all(f"`{act} for TIME`" in PAGE for act in get_args(Act))
    assert f"| `{DELIVERY_FAILED}` |" in PAGE
    assert f"| `{HELD_BACK}` |" in PAGE


def test_the_settings_shown_in_the_guide_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "sluicegate.yaml"
    rest = 'identity: {mode: none}\nconnections: [{name: prod, upstream: "http://127.0.0.1:9/mcp"}]\n'
    shown = []
    for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL):
        file.write_text(rest + block, "utf-8")
        shown.append(load(file).findings)
    assert [alert.name for alert in shown[0].alerts] == ["security", "on-call"]
    assert shown[1].responses != "off"


def test_the_commands_shown_in_the_guide_exist() -> None:
    cli = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    for words in re.findall(r"^sluicegate (\w+ \w+)", GUIDE, re.MULTILINE):
        assert f"## `sluicegate {words}`" in cli
