"""A value that is secret in one place of a text is secret wherever it returns in it."""

from __future__ import annotations

from collections.abc import Iterator

from masking.filters import odd
from masking.found import Found
from masking.work import Work

LEAST = 8
"""Characters of a value that is looked for again: shorter ones return by chance."""

VALUES_MAX = 100


def repeats(view: str, found: list[Found], work: Work) -> Iterator[Found]:
    """Further places of the values that were found, where they stand as words of their own."""
    values: dict[str, Found] = {}
    for item in found:
        for value in (view[item.start : item.end], item.secret):
            if len(value) >= LEAST and odd(value) and "\n" not in value:
                values.setdefault(value, item)
    for value, item in list(values.items())[:VALUES_MAX]:
        work.go_on()
        start = view.find(value)
        while start >= 0:
            end = start + len(value)
            if _alone(view, start, end):
                yield Found(start, end, item.rule, item.kind, item.secret)
            start = view.find(value, end)


def _alone(view: str, start: int, end: int) -> bool:
    before, after = view[start - 1 : start], view[end : end + 1]
    return not (before.isalnum() and before.isascii()) and not (after.isalnum() and after.isascii())
