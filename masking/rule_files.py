"""Files of own rules: TOML with `[[rule]]` tables. Every fault is told at once, as `file:line: what to do`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from masking.custom import checked

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*rule[ \t]*\]\]", re.MULTILINE)
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")
_NAMED = re.compile(r"\b(replacement|keep_first|keep_last|filters|entropy|trigger|names)\b")
_UNKNOWN = re.compile(r"does not know \['(\w+)'")


class RuleFileError(ValueError):
    """A file of rules has faults; its text has a line for each of them."""


def read_rules(file: Path) -> tuple[Mapping[str, Any], ...]:
    """The tables of a file of rules, each tried: what `profile_from` takes. Raises RuleFileError."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise RuleFileError(f"{file}:1: cannot be read: {error.strerror}; name a file that can") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RuleFileError(f"{file}:{line}: is not UTF-8; save it as that") from None
    return rules_in(text, str(file))


def rules_in(text: str, name: str) -> tuple[Mapping[str, Any], ...]:
    """The same for the text of a file of this name."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        what = _AT_LINE.sub("", str(error))
        raise RuleFileError(
            f"{name}:{line}: is not TOML: {what[:1].lower()}{what[1:]}; correct this line"
        ) from None
    faults = [f"{name}:{line}: {what}" for line, what in sorted(_faults(text, document))]
    if faults:
        raise RuleFileError("\n".join(faults))
    return tuple(document["rule"])


def _faults(text: str, document: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for key in document.keys() - {"rule"}:
        yield _line_of(text, key, 0), f"there is no {key!r} here; rules stand in `[[rule]]` tables"
    tables = document.get("rule")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        yield 1, "holds no rule; write each in a `[[rule]]` table"
        return
    starts = [match.start() for match in _HEADER.finditer(text)]
    seen: dict[str, int] = {}
    for number, table in enumerate(tables):
        start = starts[number] if len(starts) == len(tables) else 0
        line = text.count("\n", 0, start) + 1
        identity = str(table.get("id", ""))
        if identity in seen:
            yield (
                line,
                f"masking rule {identity!r} stands at line {seen[identity]} already; give this one another id",
            )
        seen.setdefault(identity, line)
        try:
            checked(table)
        except ValueError as error:
            yield _place(text, start, table, str(error)), str(error)


def _place(text: str, start: int, table: Mapping[str, Any], fault: str) -> int:
    """The line that the fault is about, or that of the id of the rule."""
    if "example number" in fault:
        keys = ["counter_examples" if "counter-example" in fault else "examples"]
    else:
        unknown = _UNKNOWN.search(fault)
        keys = [unknown[1]] if unknown else [*_NAMED.findall(fault), "pattern"]
    return _line_of(text, next((key for key in keys if key in table), "id"), start)


def _line_of(text: str, key: str, start: int) -> int:
    found = re.compile(rf"^[ \t]*[\"']?{re.escape(key)}\b", re.MULTILINE).search(text, start)
    return text.count("\n", 0, found.start() if found else start) + 1
