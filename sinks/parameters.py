"""Questions as parameters of a URL, there and back: a filter or a scope as (name, text) pairs.

A scope goes as `connections` once for each; one without a name stands for the scope that holds none, since leaving
the parameter out means everything. What is not known is refused: a scope misspelt must not open anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sinks.filters import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, Scope, SessionFilter
from sinks.readers import ReadError

Pairs = list[tuple[str, str]]
Filter = TypeVar("Filter", FrameFilter, SessionFilter, AdminFilter, FindingFilter, ApprovalFilter)

_SCOPE = "connections"
_TRUE = ("1", "true", "yes")
_FALSE = ("0", "false", "no", "")


def pairs(values: Mapping[str, Any]) -> Pairs:
    """`values` as parameters; what is '' or false is left out, and a scope that is None."""
    written: Pairs = []
    for name, value in values.items():
        if name == _SCOPE:
            written += [(name, each) for each in _scope_texts(value)]
        elif value is not False and value != "":
            written.append((name, "1" if value is True else str(value)))
    return written


def _scope_texts(scope: Scope) -> tuple[str, ...]:
    return () if scope is None else tuple(scope) or ("",)


class Parameters:
    """The parameters of one question; each is taken once, and `done` refuses what nobody took."""

    def __init__(self, given: Iterable[tuple[str, str]]) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in given:
            self._given.setdefault(name, []).append(value)

    def filter(self, kind: type[Filter]) -> Filter:
        """The filter of this kind. Raises ReadError."""
        values: dict[str, Any] = {_SCOPE: self.scope()}
        for field in fields(kind):
            if field.name in self._given:
                text = self.text(field.name)
                values[field.name] = _truth(field.name, text) if field.type in (bool, "bool") else text
        return kind(**values)

    def scope(self) -> Scope:
        """The scope: None where none is given. Raises nothing."""
        names = self._given.pop(_SCOPE, None)
        return None if names is None else tuple(name for name in names if name)

    def text(self, name: str) -> str:
        """The text of `name`, '' where it is not given. Raises ReadError when it is given twice."""
        values = self._given.pop(name, [""])
        if len(values) > 1:
            raise ReadError(f"{name} is given {len(values)} times")
        return values[0]

    def number(self, name: str, default: int) -> int:
        """The whole number of `name`. Raises ReadError when it is none."""
        text = self.text(name) or str(default)
        if not text.isdecimal() or len(text) > 9:
            raise ReadError(f"{name} must be a number")
        return int(text)

    def done(self) -> None:
        """Raises ReadError when something was given that nobody asked for."""
        if self._given:
            raise ReadError(f"unknown parameter {', '.join(sorted(self._given))}")


def _truth(name: str, text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ReadError(f"{name} must be 1 or 0")
    return text.lower() in _TRUE
