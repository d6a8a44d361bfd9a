"""The views as they are promised: `python -m tests.sql.contract` writes contract.json from the migrations."""

import json
from pathlib import Path

from clickhouse_connect.driver.client import Client

from tests.sinks.shared_store import embedded_store

FILE = Path(__file__).with_name("contract.json")


def views(client: Client) -> dict[str, dict[str, str]]:
    """View → column → type, as the store has them."""
    sql = "SELECT table, name, type FROM system.columns WHERE database = 'audit' AND table LIKE 'v\\_%'"
    found: dict[str, dict[str, str]] = {}
    for view, column, kind in client.query(f"{sql} ORDER BY table, position").result_rows:
        found.setdefault(view, {})[column] = kind
    return found


def promised() -> dict[str, dict[str, str]]:
    """As committed."""
    loaded: dict[str, dict[str, str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


if __name__ == "__main__":
    FILE.write_text(json.dumps(views(embedded_store().client), indent=1) + "\n", encoding="utf-8")
