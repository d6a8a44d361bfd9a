"""What commands print: tables for people, one JSON object a line for programs; always inert.

Recorded content was written by strangers. A terminal obeys control characters in it, and a reader is misled by
characters that reorder text, so both are shown as escapes and never sent.
"""

import io
import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PIPE_WIDTH = 200
_ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def speak_utf8() -> None:
    """Text in and out is UTF-8, whatever the locale; bytes that are none end no command."""
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def inert(text: str, *, keep: str = "") -> str:
    r"""`text` with every control, format and unassigned character but those of `keep` as `\n`, `\x1b`, `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escape(character)
        if unicodedata.category(character) in _ESCAPED and character not in keep
        else character
        for character in text
    )


def _escape(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    code = ord(character)
    if short or code < 0x100:
        return short or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_line(row: Mapping[str, Any]) -> str:
    """`row` as one line of ASCII JSON. What JSON does not know (times, ids) becomes its text."""
    return json.dumps(row, default=_plain, ensure_ascii=True).replace("\x7f", "\\u007f")


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """One object a line, each written as it comes."""
    for row in rows:
        sys.stdout.write(json_line(row) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """A table whose cells are never cut; `empty` is what is said when there is no row."""
    from rich.console import Console  # noqa: PLC0415 (programs that read JSON do not wait for it)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    if not table.row_count:
        print_line(empty)
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table)


def cell(value: Any) -> str:
    """One value for a person, inert."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat(sep=" ", timespec="milliseconds"))
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    return inert(_plain(value) if isinstance(value, bytes) else str(value))


def print_line(text: str) -> None:
    """One line for a person, inert."""
    sys.stdout.write(inert(text) + "\n")
    sys.stdout.flush()
