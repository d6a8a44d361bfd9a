"""The reference has every figure of the checkpointer, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from processors.checkpoints.metrics import CheckpointMetrics

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def test_every_figure_is_in_the_reference() -> None:
    named = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in CheckpointMetrics().registry.collect()
    }
    documented = re.findall(r"`(sluicegate_checkpoints_\w+)` \|", REFERENCE.read_text("utf-8"))
    assert sorted(documented) == sorted(named)
