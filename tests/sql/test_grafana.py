"""The dashboards are what the code says, their queries run, and Grafana is as confined as everything beside it."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sinks.shared_store import Store

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yml").read_text())["services"]
DASHBOARDS = {
    file.name: json.loads(file.read_text()) for file in sorted((FOLDER / "dashboards").glob("*.json"))
}
PANELS = [
    pytest.param(target["rawSql"], id=panel["title"])
    for dashboard in DASHBOARDS.values()
    for panel in dashboard["panels"]
    for target in panel["targets"]
]
# As the data source's plugin fills them in, for a time and either one connection or all.
MACROS = {
    r"\$__timeFilter\((\w+)\)": r"\1 >= toDateTime(1700000000) AND \1 <= toDateTime(1900000000)",
    r"\$__fromTime": "toDateTime(1700000000)",
    r"\$__toTime": "toDateTime(1900000000)",
}


def built() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("dashboards", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, str] = module.written()
    return found


def test_the_dashboards_are_those_of_the_code() -> None:
    there = {name: (FOLDER / "dashboards" / name).read_text() for name in DASHBOARDS}
    assert there == built(), "run python deploy/grafana/build.py"


@pytest.mark.parametrize("connections", [("All", "'All'"), ("asked", "'asked','other'")])
@pytest.mark.parametrize("sql", PANELS)
def test_the_query_of_a_panel_runs(filled: Store, sql: str, connections: tuple[str, str]) -> None:
    for pattern, text in MACROS.items():
        sql = re.sub(pattern, text, sql)
    raw, quoted = connections
    sql = sql.replace("${connection:raw}", raw).replace("${connection:singlequote}", quoted)
    assert "$" not in sql
    client = filled.address.connect(database="audit")
    client.query(sql)
    client.close()


def test_a_variable_lists_the_connections(filled: Store) -> None:
    for dashboard in DASHBOARDS.values():
        (variable,) = dashboard["templating"]["list"]
        client = filled.address.connect(database="audit")
        assert ("asked",) in client.query(variable["query"]).result_rows
        client.close()


def test_panels_ask_views_alone_of_the_source_that_is_provisioned() -> None:
    source = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "clickhouse.yaml").read_text())[
        "datasources"
    ][0]
    for dashboard in DASHBOARDS.values():
        for panel in dashboard["panels"]:
            assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}
            for target in panel["targets"]:
                assert set(re.findall(r"\b(?:FROM|JOIN) (\w+)", target["rawSql"])) <= {
                    *re.findall(r"\bv_\w+", target["rawSql"])
                }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_its_service_is_pinned_bounded_without_root_and_on_loopback(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\d+\.\d+\.\d+(\.\d+)?$", service["image"])
    assert int(service["user"].split(":")[0]) > 0
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for value in service["environment"].values():
        assert "PASSWORD" not in str(value) or ":?" in str(value)


def test_the_store_beside_it_is_the_one_of_the_production_shape() -> None:
    beside = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert SERVICES["grafana-user"]["image"] == beside["clickhouse"]["image"]
    assert beside["clickhouse"]["environment"]["CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT"] == "1"
