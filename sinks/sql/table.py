"""Rows out of ClickHouse's Native format, as the driver gives them for a server."""

from collections.abc import Iterator
from typing import cast

from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.query import QueryContext, QueryResult
from clickhouse_connect.driver.transform import NativeTransform


class _Bytes:
    """What the driver reads from, where it is at hand already."""

    last_message = None
    exception_tag = None

    def __init__(self, body: bytes) -> None:
        self.gen: Iterator[bytes] = iter((body,))

    def close(self) -> None:
        """Nothing to give back."""


def rows_of(body: bytes) -> QueryResult:
    """Column names and rows."""
    source = RespBuffCls(_Bytes(body))  # type: ignore[no-untyped-call]
    return cast("QueryResult", NativeTransform().parse_response(source, QueryContext()))
