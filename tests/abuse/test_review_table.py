"""The table of abuses says where their tests are, and stays true."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "reference" / "abuse.md"
LINES = (*range(1, 67), *range(73, 89))  # those between are of Kubernetes API connections
_ROW = re.compile(r"\| (\d+) \| [^|]+ \| ([^|]+) \|")
_NUMBERED = re.compile(r"test_abuse((?:_\d\d)+)_")


def listed() -> dict[int, set[str]]:
    """Files by line, as the table has them."""
    rows = [_ROW.fullmatch(line) for line in TABLE.read_text("utf-8").splitlines()]
    return {int(row[1]): set(re.findall(r"`([^`]+)`", row[2])) for row in rows if row}


def present() -> dict[int, set[str]]:
    """Files by line, as the names of their tests have them."""
    found: dict[int, set[str]] = defaultdict(set)
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                name := _NUMBERED.match(node.name)
            ):
                for number in name[1].strip("_").split("_"):
                    found[int(number)].add(str(file.relative_to(TESTS)))
    return found


def test_every_line_has_tests_that_carry_its_number_and_the_table_names_their_files() -> None:
    tests, table = present(), listed()
    assert sorted(table) == list(LINES)
    numbered = {line: files for line, files in tests.items() if line in LINES}
    assert table == numbered, "write the files of the numbered tests into docs/reference/abuse.md"
