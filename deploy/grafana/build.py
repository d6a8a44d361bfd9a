"""Dashboards as code: `python deploy/grafana/build.py` writes dashboards/*.json; SQL over the published views."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "sluicegate"}
_ALL = "('${connection:raw}' = 'All' OR connection IN (${connection:singlequote}))"
_WHEN = "$__timeFilter(bucket) AND " + _ALL
_STARTED = "$__timeFilter(started_at) AND " + _ALL
_DAY = "day >= toDate($__fromTime) AND day <= toDate($__toTime)"

Panel = tuple[str, str, str, str]  # title, kind, unit, SQL

TRAFFIC: list[Panel] = [
    ("Calls, failures and denials", "timeseries", "short",
     f"SELECT bucket AS time, sum(calls) AS calls, sum(errors) AS failed, sum(denied) AS denied"
     f" FROM v_tool_latency WHERE {_WHEN} GROUP BY time ORDER BY time"),
    ("95 of 100 calls took at most", "timeseries", "ms",
     f"SELECT bucket AS time, connection, max(p95_ms) AS p95 FROM v_tool_latency WHERE {_WHEN} AND calls > pending"
     f" GROUP BY time, connection ORDER BY time"),
    ("Slowest calls", "table", "short",
     f"SELECT connection, call, sum(calls) AS ran, round(max(p95_ms), 1) AS worst_p95_ms, sum(errors) AS failed"
     f" FROM v_tool_latency WHERE {_WHEN} AND calls > pending GROUP BY connection, call"
     f" ORDER BY worst_p95_ms DESC LIMIT 20"),
    ("Most active callers", "table", "short",
     f"SELECT principal, count() AS calls, countIf(is_error) AS failed, countIf(verdict = 'deny') AS denied,"
     f" max(started_at) AS latest FROM v_exchanges WHERE {_STARTED} GROUP BY principal ORDER BY calls DESC LIMIT 20"),
]  # fmt: skip

RISKS: list[Panel] = [
    ("Denied by rule", "table", "short",
     f"SELECT rule, call, principal, sum(calls) AS denied, max(last_at) AS latest,"
     f" argMax(replay_url, last_at) AS replay FROM v_denied_calls WHERE {_DAY} AND {_ALL}"
     f" GROUP BY rule, call, principal ORDER BY denied DESC LIMIT 50"),
    ("Secret reads, deletes, ways inside", "timeseries", "short",
     f"SELECT toStartOfHour(started_at) AS time, what, count() AS requests FROM v_sensitive_requests"
     f" WHERE {_STARTED} GROUP BY time, what ORDER BY time"),
    ("Secrets masked", "table", "short",
     f"SELECT connection, rule, pass, sum(redactions) AS masked, max(last_at) AS latest FROM v_redactions"
     f" WHERE {_DAY} AND {_ALL} GROUP BY connection, rule, pass ORDER BY masked DESC LIMIT 50"),
    ("Bytes fetched against the 14 days before", "table", "short",
     f"SELECT day, principal, formatReadableSize(response_bytes) AS fetched, round(ratio, 1) AS times_usual"
     f" FROM v_bytes_out WHERE {_DAY} ORDER BY response_bytes DESC LIMIT 20"),
    ("First calls of a tool", "table", "short",
     f"SELECT first_at, principal, connection, tool, first_verdict, replay_url AS replay FROM v_first_tools"
     f" WHERE $__timeFilter(first_at) AND {_ALL} ORDER BY first_at DESC LIMIT 50"),
    ("Open findings", "table", "short",
     "SELECT severity, raised_at, rule, title, principal, connection, replay_url AS replay FROM v_findings"
     " WHERE state != 'closed' ORDER BY raised_at DESC LIMIT 50"),
    ("Approvals: how long people wait", "table", "short",
     f"SELECT rule, state, count() AS approvals, round(quantile(0.5)(waited_ms) / 1000, 1) AS median_s"
     f" FROM v_approvals WHERE $__timeFilter(requested_at) AND {_ALL} GROUP BY rule, state"
     f" ORDER BY approvals DESC LIMIT 50"),
]  # fmt: skip

PROOF: list[Panel] = [
    ("What the trail lacks", "table", "short",
     "SELECT kind, name, first_position, last_position, missing, last_at FROM v_trail_gaps ORDER BY missing DESC"),
    ("Signed tree heads", "timeseries", "short",
     "SELECT toStartOfHour(at) AS time, concat(kind, ' ', anchor_kind) AS what, count() AS signed FROM v_checkpoints"
     " WHERE $__timeFilter(at) GROUP BY time, what ORDER BY time"),
    ("What is kept", "table", "short",
     f"SELECT connection, frames, formatReadableSize(body_bytes) AS bodies, first_at, last_at, due, rows_forgotten,"
     f" bodies_forgotten, erased FROM v_retention WHERE {_ALL} ORDER BY frames DESC"),
    ("Acts of operators", "table", "short",
     "SELECT at, actor, action, target, outcome, reason FROM v_admin WHERE $__timeFilter(at) AND outcome != 'asked'"
     " ORDER BY at DESC LIMIT 100"),
]  # fmt: skip

DASHBOARDS = {
    "traffic": ("Sluicegate: traffic", TRAFFIC),
    "risks": ("Sluicegate: risks", RISKS),
    "proof": ("Sluicegate: the trail itself", PROOF),
}


def dashboard(name: str, title: str, panels: list[Panel]) -> dict[str, Any]:
    """One dashboard as Grafana loads it."""
    variable = {
        "name": "connection",
        "type": "query",
        "datasource": SOURCE,
        "query": "SELECT DISTINCT connection FROM v_retention ORDER BY connection",
        "multi": True,
        "includeAll": True,
        "allValue": "All",
        "refresh": 1,
    }
    return {
        "uid": f"sluicegate-{name}",
        "title": title,
        "tags": ["sluicegate"],
        "timezone": "browser",
        "schemaVersion": 41,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [variable]},
        "panels": [_panel(at, *panel) for at, panel in enumerate(panels)],
    }


def _panel(at: int, title: str, kind: str, unit: str, sql: str) -> dict[str, Any]:
    links = [{"title": "Replay", "url": "${__value.text}", "targetBlank": True}]
    replay = {
        "matcher": {"id": "byName", "options": "replay"},
        "properties": [{"id": "links", "value": links}],
    }
    form = 0 if kind == "timeseries" else 1
    return {
        "id": at + 1,
        "title": title,
        "type": kind,
        "datasource": SOURCE,
        "gridPos": {"h": 9, "w": 12, "x": 12 * (at % 2), "y": 9 * (at // 2)},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": [replay] if " AS replay" in sql else []},
        "targets": [
            {
                "refId": "A",
                "datasource": SOURCE,
                "editorType": "sql",
                "format": form,
                "queryType": kind,
                "rawSql": sql,
            }
        ],
    }


def written() -> dict[str, str]:
    """File name → text."""
    return {
        f"{name}.json": json.dumps(dashboard(name, title, panels), indent=1) + "\n"
        for name, (title, panels) in DASHBOARDS.items()
    }


if __name__ == "__main__":
    for file, text in written().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
