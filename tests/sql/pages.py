"""The generated parts of the reference: `python -m tests.sql.pages` writes them from the queries and the comments."""

import re
from pathlib import Path

from clickhouse_connect.driver.client import Client

from sinks.sql.saved import Saved, saved_queries
from sinks.sql.views import VIEWS
from tests.sinks.shared_store import embedded_store

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
PAGE, COLUMNS = FOLDER / "clickhouse.md", FOLDER / "clickhouse-columns.md"
WORKED = re.compile(
    r"(?<=<!-- worked queries: generated -->\n).*?(?=<!-- end of worked queries -->)", re.DOTALL
)


def worked_queries() -> str:
    """A heading, what it takes, and the SQL of each."""
    return "".join(_worked(query) for name, query in saved_queries().items() if name not in VIEWS)


def _worked(query: Saved) -> str:
    taken = "; ".join(
        f"`{one.name}` ({one.about}; {one.default or 'empty'} if not given)" for one in query.parameters
    )
    parameters = f" Parameters: {taken}." if taken else ""
    return f"\n### {query.name}\n\n{query.title}.{parameters}\n\n```sql {query.name}\n{query.sql}\n```\n"


def columns_page(client: Client) -> str:
    """Every column of every view, with its type and meaning."""
    sql = (
        "SELECT table, name, type, comment FROM system.columns WHERE database = 'audit' AND table LIKE 'v\\_%'"
        " ORDER BY table, position"
    )
    comments = dict(
        client.query("SELECT name, comment FROM system.tables WHERE database = 'audit'").result_rows
    )
    lines = [
        "# The columns of the views",
        "",
        "Generated from the schema, where `DESCRIBE` shows the same. What the views are for, how they hang together",
        "and worked queries are in [the store](clickhouse.md).",
    ]
    previous = ""
    for view, name, kind, comment in client.query(sql).result_rows:
        if view != previous:
            lines += [
                "",
                f"## {view}",
                "",
                f"{comments[view]}.",
                "",
                "| column | type | meaning |",
                "|---|---|---|",
            ]
            previous = view
        escaped = comment.replace("|", "\\|")
        lines.append(f"| `{name}` | `{kind}` | {escaped} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(WORKED.sub(lambda _match: worked_queries() + "\n", text), encoding="utf-8")
    COLUMNS.write_text(columns_page(embedded_store().client), encoding="utf-8")
