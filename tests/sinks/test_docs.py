"""The reference page names what there is, and nothing else."""

import re
from dataclasses import fields
from pathlib import Path

from sinks.metrics import SinkMetrics
from sinks.readers import AdminFilter, FrameFilter, SessionFilter
from tests.sinks.shared_store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "clickhouse.md").read_text(encoding="utf-8")


def test_every_metric_is_documented() -> None:
    families = {family.name.removeprefix("sluicegate_sink_") for family in SinkMetrics().registry.collect()}

    assert {name for name in families if not re.search(rf"`{name}(_total)?(\{{[a-z,_]+\}})?`", PAGE)} == set()


def test_every_parameter_of_the_query_api_is_documented() -> None:
    sessions = re.search(r"/api/sessions\?(\S+)`", PAGE)
    frames = re.search(r"/api/frames\?(\S+)`", PAGE)

    admin = re.search(r"/api/admin\?(\S+)`", PAGE)

    assert sessions is not None
    assert admin is not None
    assert set(admin[1].split("&")) == {f"{f.name}=" for f in fields(AdminFilter)} | {"limit="}
    assert frames is not None
    assert set(sessions[1].split("&")) == {f"{f.name}=" for f in fields(SessionFilter)} | {"limit="}
    assert set(frames[1].split("&")) == {f"{f.name}=" for f in fields(FrameFilter)} | {"limit="}


def test_every_view_and_every_column_named_in_a_question_exists(store: Store) -> None:
    views = set(re.findall(r"\bv_[a-z]+\b", PAGE))
    there = {row[0] for row in store.client.query("SHOW TABLES FROM audit LIKE 'v_%'").result_rows}
    assert views == there
    for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL):
        for statement in block.replace("'…'", "generateUUIDv4()").split(";"):
            if statement.strip():
                store.client.query(re.sub(r"\bv_", "audit.v_", statement))
