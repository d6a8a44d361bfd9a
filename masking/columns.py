"""Tables: a column under a telling name, in CSV, tab-separated text or Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from masking.assignments import Candidate
from masking.names import kind_of_name

_NAME = r"(?:passw(?:or)?d|secret|token|api[_-]?key|private[_-]?key|credential)s?[\"']?[ ]*"
_BREAK = r"(?:\\r|\r)?(?:\n|\\n)"
TRIGGER = rf"(?i)(?:{_NAME}(?:[,;|\t]|\\t)[^\n\\]*{_BREAK}|(?:[,;|\t]|\\t)[ ]*[\"']?\w*{_NAME}{_BREAK})"
"""A line that could be the head of a table: a telling name beside a separator. The escaped forms are for texts inside
JSON strings, which are decoded when anything in them hits.
"""

_TELLING = frozenset({"password", "secret", "token", "key-of"})
_HEAD = re.compile(r"[\w \"'.|,;\t-]{3,400}")
_CELL = re.compile(r"[A-Za-z][\w -]{0,40}")
_ROWS_MAX = 10_000


def candidates(view: str, ends: list[int]) -> Iterator[Candidate]:
    """The cells under telling names, below the heads whose lines end here."""
    for end in ends:
        start = view.rfind("\n", 0, end - 1) + 1
        line = view[start:end].rstrip("\r\n")
        separator = _separator(line)
        if separator and _HEAD.fullmatch(line):
            names = [cell.strip().strip("\"'") for cell in line.split(separator)]
            if separator != "|" and not all(names):
                continue  # one entry a line, each with a comma behind it: a list, and no table
            telling = {i: name for i, name in enumerate(names) if _CELL.fullmatch(name) and _tells(name)}
            if telling:
                yield from _rows(view, end, separator, len(names), telling)


def _separator(line: str) -> str:
    return next((sign for sign in ("|", "\t", ",", ";") if sign in line), "")


def _tells(name: str) -> bool:
    return kind_of_name(name) in _TELLING and len(name.split()) <= 3


def _rows(view: str, at: int, separator: str, width: int, telling: dict[int, str]) -> Iterator[Candidate]:
    for _ in range(_ROWS_MAX):
        end = view.find("\n", at)
        end = len(view) if end < 0 else end
        cells = view[at:end].split(separator)
        if len(cells) != width:
            return
        for index, name in telling.items():
            cell = cells[index]
            value = cell.strip(" \r\"'")
            begin = at + sum(len(c) + 1 for c in cells[:index]) + cell.find(value)
            if value:
                yield Candidate(name, begin, begin + len(value), value, '"', ":", "", "\n", "\n")
        if end == len(view):
            return
        at = end + 1
