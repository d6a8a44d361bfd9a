"""One suite for every backend: the fixtures that start containers, where an engine runs."""

from tests.support.containers import clickhouse_container, container_engine

__all__ = ["clickhouse_container", "container_engine"]
