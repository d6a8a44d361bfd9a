"""The topics, read from `topics.yaml`."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: name, schema (a name under `avro/`), what keys it, partitions, retention, who uses it.

    `compacted`: the latest record of a key stays for good, whatever the retention."""

    name: str
    schema: str
    key: str
    partitions: int
    retention_hours: int
    restricted: bool
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    compacted: bool = False

    @property
    def retention_ms(self) -> int:
        """Retention in milliseconds, -1 for ever."""
        return -1 if self.retention_hours < 0 else self.retention_hours * 3_600_000


@cache
def topics() -> dict[str, Topic]:
    """Every topic by its name, in the order of `topics.yaml`."""
    rows: list[dict[str, Any]] = yaml.safe_load(files("schemas").joinpath("topics.yaml").read_text("utf-8"))
    return {
        row["name"]: Topic(
            **{**row, "producers": tuple(row["producers"]), "consumers": tuple(row["consumers"])}
        )
        for row in rows
    }
