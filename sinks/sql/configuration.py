"""What the sandboxed engine is told before it starts: one user who only reads one database, within limits.

chDB takes a server's configuration file, and with it grants and settings profiles hold for its only user, `default`.
"""

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

ROWS_MAX = 1_000_000
RESULT_BYTES_MAX = 64 * 1024 * 1024
SECONDS_MAX = 30
MEMORY_MAX = 1 << 30

# Of the database `system` drivers and BI tools look at these. Others show the machine, or what others asked.
SYSTEM_TABLES = frozenset(
    {
        "columns", "data_type_families", "databases", "formats", "functions", "numbers", "numbers_mt", "one",
        "settings", "table_engines", "tables", "time_zones",
    }
)  # fmt: skip

_LIMITS: dict[str, int | str] = {
    "max_execution_time": SECONDS_MAX,
    "max_memory_usage": MEMORY_MAX,
    "max_memory_usage_for_user": MEMORY_MAX,
    "max_bytes_before_external_group_by": 256 << 20,
    "max_bytes_before_external_sort": 256 << 20,
    "max_temporary_data_on_disk_size_for_user": 1 << 30,
    "max_threads": 2,
    "max_result_rows": ROWS_MAX,
    "max_result_bytes": RESULT_BYTES_MAX,
    "result_overflow_mode": "throw",
    "max_query_size": 256 * 1024,
    "max_ast_depth": 1000,
    "max_ast_elements": 50_000,
    "max_expanded_ast_elements": 500_000,
    "max_columns_to_read": 10_000,
    "allow_introspection_functions": 0,
    "log_queries": 0,
}
# These may be set lower by a question and never higher.
_CAPPED = ("max_execution_time", "max_memory_usage", "max_result_rows", "max_result_bytes", "max_threads")
_FIXED = tuple(name for name in _LIMITS if name not in _CAPPED)

# Small caches; no merges of what is only looked at.
_ENGINE: dict[str, int | str] = {
    "max_server_memory_usage": 2 << 30,
    "background_pool_size": 2,
    "background_schedule_pool_size": 2,
    "mark_cache_size": 32 << 20,
    "index_mark_cache_size": 16 << 20,
    "primary_index_cache_size": 32 << 20,
    "compiled_expression_cache_size": 16 << 20,
}


def write_configuration(folder: Path, database: str) -> Path:
    """Writes the engine's files into `folder`; gives the one to name when it starts."""
    users = folder / "users.xml"
    users.write_text(_users(database), encoding="utf-8")
    main = folder / "engine.xml"
    merges = _element("merge_tree", _leaves({"max_bytes_to_merge_at_max_space_in_pool": 1}))
    main.write_text(
        _element("clickhouse", _leaves({**_ENGINE, "users_config": str(users)}) + merges), encoding="utf-8"
    )
    return main


def _users(database: str) -> str:
    # readonly 2: the form of an answer may be chosen; nothing can be written, and the limits stay.
    limits = _leaves({**_LIMITS, "readonly": 2})
    capped = "".join(_element(name, _leaves({"max": _LIMITS[name]})) for name in _CAPPED)
    fixed = "".join(_element(name, "<readonly/>") for name in (*_FIXED, "readonly"))
    profile = _element("analyst", limits + _element("constraints", capped + fixed))
    grants = [f"GRANT SELECT, SHOW ON {_quoted(database)}.*"]
    grants += [f"GRANT SELECT ON system.{table}" for table in sorted(SYSTEM_TABLES)]
    user = _leaves({"password": "", "profile": "analyst", "quota": "default"})
    user += _element("networks", _leaves({"ip": "127.0.0.1"}))
    user += _element("grants", "".join(_leaves({"query": grant}) for grant in grants))
    parts = _element("profiles", "<default/>" + profile) + _element("quotas", "<default/>")
    return _element("clickhouse", parts + _element("users", _element("default", user)))


def _leaves(values: Mapping[str, int | str]) -> str:
    return "".join(_element(name, escape(str(value))) for name, value in values.items())


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
