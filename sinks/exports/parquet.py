"""Rows as a Parquet file, written by the store's engine in a process of its own, where no store is open."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sinks.literals import text_literal

_SECONDS_MAX = 120
_PROGRAM = """
import sys, chdb
chdb.query(sys.stdin.read())
"""


class ParquetError(RuntimeError):
    """The engine did not write the file."""


def parquet(rows: Iterable[Mapping[str, Any]], structure: Sequence[tuple[str, str]]) -> bytes:
    """A Parquet file of `rows`; `structure` has the name and the type of each column. Raises ParquetError."""
    with tempfile.TemporaryDirectory(prefix="sluicegate-export-") as folder:
        given, made = Path(folder) / "rows.jsonl", Path(folder) / "rows.parquet"
        with given.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
        _write(given, made, structure)
        return made.read_bytes()


def _write(given: Path, made: Path, structure: Sequence[tuple[str, str]]) -> None:
    columns = text_literal(", ".join(f"`{name}` {kind}" for name, kind in structure))
    statement = (
        f"INSERT INTO FUNCTION file({text_literal(made)}, 'Parquet', {columns})"
        f" SELECT * FROM file({text_literal(given)}, 'JSONEachRow', {columns})"
        " SETTINGS date_time_input_format = 'best_effort', input_format_null_as_default = 1,"
        " output_format_parquet_string_as_string = 1"
    )
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=statement,
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    if done.returncode or not made.exists():
        said = done.stderr.strip().splitlines()
        raise ParquetError(f"no Parquet could be written: {said[-1] if said else 'the engine said nothing'}")
