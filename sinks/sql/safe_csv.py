"""CSV that a spreadsheet opens as text: strangers wrote what is recorded, and `=cmd()` is a formula. Pure."""

import re

# The engine writes every text between quotes, and numbers without: only quoted fields can hold what strangers wrote.
_FIELD = re.compile(rb'"((?:[^"]|"")*)"')
# What Excel, LibreOffice and Sheets take as the beginning of a formula; full-width forms too, and what they skip.
_FORMULA = re.compile(rb"[ \t\r\n\x0b\x0c]*(?:[=+\-@\t\r\n|%]|\xef\xbc[\x8b\x8d\x9d\xa0])")


def safe_csv(body: bytes) -> bytes:
    """`body`, CSV as ClickHouse writes it, with an apostrophe before every text that would be a formula."""
    return _FIELD.sub(_safe_field, body)


def _safe_field(match: re.Match[bytes]) -> bytes:
    return b"\"'" + match[1] + b'"' if _FORMULA.match(match[1]) else match[0]
