"""The reference page names what there is, and nothing else."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sinks.metrics import SinkMetrics
from sinks.readers import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, SessionFilter
from tests.sinks.shared_store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "clickhouse.md").read_text(encoding="utf-8")


def test_every_metric_is_documented() -> None:
    families = {family.name.removeprefix("sluicegate_sink_") for family in SinkMetrics().registry.collect()}

    assert {name for name in families if not re.search(rf"`{name}(_total)?(\{{[a-z,_]+\}})?`", PAGE)} == set()


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("sessions", SessionFilter),
        ("frames", FrameFilter),
        ("admin", AdminFilter),
        ("findings", FindingFilter),
        ("approvals", ApprovalFilter),
    ],
)
def test_every_parameter_of_the_query_api_is_documented(what: str, kind: type[Any]) -> None:
    route = re.search(rf"/api/{what}\?(\S+)`", PAGE)
    assert route is not None
    assert set(route[1].split("&")) == {f"{f.name}=" for f in fields(kind)} | {"limit="}


def test_every_view_and_every_column_named_in_a_question_exists(store: Store) -> None:
    views = set(re.findall(r"\bv_[a-z_]+\b", PAGE))
    there = {row[0] for row in store.client.query("SHOW TABLES FROM audit LIKE 'v_%'").result_rows}
    assert views == there
    for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL):
        for statement in block.replace("'…'", "generateUUIDv4()").split(";"):
            if statement.strip():
                store.client.query(re.sub(r"\bv_", "audit.v_", statement))
