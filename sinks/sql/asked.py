"""A question as ClickHouse's HTTP form puts it: in the address, in headers and in the body. Pure.

Source: ClickHouse's documentation of its HTTP interface; what is read here is what its official clients send.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sinks.sql.fence import RefusedError, checked_format
from sinks.sql.sandbox import Question

DEFAULT_FORMAT = "TabSeparated"
_PARAM = "param_"

# About the transport or the session: nothing that the answer depends on here.
_OF_TRANSPORT = frozenset(
    {
        "query", "query_id", "user", "password", "database", "default_format", "compress", "decompress", "session_id",
        "session_timeout", "session_check", "close_session", "enable_http_compression", "http_zlib_compression_level",
        "wait_end_of_query", "buffer_size", "http_response_buffer_size", "send_progress_in_http_headers",
        "http_headers_progress_interval_ms", "http_write_exception_in_output_format", "add_http_cors_header",
        "quota_key", "role", "client_protocol_version", "stacktrace", "cancel_http_readonly_queries_on_client_close",
        "http_make_head_request", "send_logs_level", "log_comment", "readonly", "async_insert",
        "wait_for_async_insert", "insert_deduplicate", "network_compression_method", "max_query_size",
    }
)  # fmt: skip
# What the form of an answer depends on, and limits that may only be lowered.
_SETTING = re.compile(
    r"(in|out)put_format_[a-z0-9_]+|format_(csv|tsv|custom)_[a-z_]+|format_binary_max_[a-z_]+|cast_[a-z_]+"
    r"|date_time_(in|out)put_format|bool_(true|false)_representation|extremes|limit|offset|final|session_timezone"
    r"|join_use_nulls|group_by_use_nulls|union_default_mode|allow_experimental_[a-z_]+|enable_[a-z_]+|use_[a-z_]+"
    r"|max_(result_rows|result_bytes|execution_time|block_size|threads|memory_usage|rows_to_read|bytes_to_read)"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who says to be asking: a name that is written down, and the token."""

    user: str
    secret: str


def question(values: Mapping[str, str], headers: Mapping[str, str], body: str, database: str) -> Question:
    """What is asked. Raises RefusedError when it says something that is not available here."""
    named = values.get("database") or headers.get("x-clickhouse-database", "")
    if named not in ("", "default", database):  # clients name `default` when nobody chose
        raise RefusedError(f"the database {named} is not available here; there is {database}")
    sql = "\n".join(part for part in (values.get("query", ""), body) if part)
    form = values.get("default_format") or headers.get("x-clickhouse-format") or DEFAULT_FORMAT
    params = {name[len(_PARAM) :]: value for name, value in values.items() if name.startswith(_PARAM)}
    return Question(sql, checked_format(form), params, _settings(values))


def _settings(values: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, value in values.items():
        if name in _OF_TRANSPORT or name.startswith(_PARAM):
            continue
        if not _SETTING.fullmatch(name):
            raise RefusedError(f"the setting {name} is not available here")
        found[name] = value
    return found


def identity(values: Mapping[str, str], headers: Mapping[str, str]) -> Identity | None:
    """Who asks, by the first way in which it is said; None when it is not, or not readable."""
    key = headers.get("x-clickhouse-key")
    if key is not None:
        return Identity(headers.get("x-clickhouse-user", ""), key)
    scheme, _space, told = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Identity("", told)
    if scheme.lower() == "basic":
        return _basic(told)
    if "password" in values:
        return Identity(values.get("user", ""), values["password"])
    return None


def _basic(told: str) -> Identity | None:
    try:
        user, _colon, secret = base64.b64decode(told, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Identity(user, secret)
