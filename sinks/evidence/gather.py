"""Asks the trail for what an exhibit shows: the rows, how many there are, and a sample that can be drawn again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sinks.evidence.catalogue import Exhibit
from sinks.exports.source import time_literal
from sinks.readers import Reader

ROWS_MAX = 10_000

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What an exhibit came to. `population` counts all rows, of which `rows` has at most `ROWS_MAX`; `sample` are
    rows drawn by `seed`, in their order. `statement` is what was asked, to be asked again."""

    exhibit: Exhibit
    statement: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    population: int
    sample: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What for: a time range (ISO, `until` exclusive), how large a sample is, and what it is drawn by."""

    since: str
    until: str
    sample: int = 25
    seed: int = 0


async def gather(reader: Reader, exhibit: Exhibit, asked: Asked) -> Found:
    """Raises what the reader raises."""
    times = {"since": time_literal(asked.since), "until": time_literal(asked.until)}
    statement = exhibit.sql.replace("{since}", times["since"]).replace("{until}", times["until"])
    table = await reader.query(f"{statement} LIMIT {ROWS_MAX}")
    rows = tuple(tuple(row) for row in table.rows)
    population = len(rows) if len(rows) < ROWS_MAX else await _count(reader, statement)
    drawn = await _sample(reader, statement, rows, population=population, asked=asked, name=exhibit.name)
    columns = table.columns or await _columns(reader, statement)
    return Found(exhibit, statement, tuple(columns), rows, population, drawn)


async def _count(reader: Reader, statement: str) -> int:
    """Of a question that may have more rows than were fetched."""
    return int((await reader.query(f"SELECT count() FROM ({statement})")).rows[0][0])


async def _columns(reader: Reader, statement: str) -> list[str]:
    """Of a question without rows, which the store answers without a head."""
    return [row[0] for row in (await reader.query(f"DESCRIBE TABLE ({statement})")).rows]


async def _sample(
    reader: Reader, statement: str, rows: Sequence[Row], *, population: int, asked: Asked, name: str
) -> tuple[Row, ...]:
    """Every row has the same chance; the same seed over the same rows draws the same ones."""
    if asked.sample >= population:
        return tuple(rows)
    places = sorted(random.Random(f"{asked.seed}/{name}").sample(range(population), asked.sample))
    if population <= len(rows):
        return tuple(rows[place] for place in places)
    drawn = []
    for place in places:  # beyond what was fetched each row is asked for by its place in the order
        table = await reader.query(f"{statement} LIMIT 1 OFFSET {place}")
        drawn += [tuple(row) for row in table.rows]
    return tuple(drawn)
