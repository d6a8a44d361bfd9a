"""From a rule's `re` pattern to its Hyperscan trigger.

The trigger is the pattern without its zero-width assertions (Hyperscan has no look-around, and a word boundary is
not one any more when the text stands escaped inside a JSON string: `\\nghp_…`), with quotes and line breaks as they
stand there too, with its last repeats cut to their minimum, so that a long match is one hit instead of hundreds,
and without the upper bound of wide repeats, which would make the database large. Every match of the pattern
therefore contains the end of a hit, which is what `windows.py` stands on.
"""

from __future__ import annotations

import re
from typing import Any

from masking.engine import Trigger

_parser: Any = re._parser  # type: ignore[attr-defined]
_constants: Any = re._constants  # type: ignore[attr-defined]
_CATEGORIES = {
    _constants.CATEGORY_DIGIT: r"\d",
    _constants.CATEGORY_NOT_DIGIT: r"\D",
    _constants.CATEGORY_SPACE: r"\s",
    _constants.CATEGORY_NOT_SPACE: r"\S",
    _constants.CATEGORY_WORD: r"\w",
    _constants.CATEGORY_NOT_WORD: r"\W",
}
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_COUNTED_MAX = 2
MARGIN = 2
"""Bytes around a window that look-around may read."""


def trigger(pattern: str, *, escaped: bool = True) -> Trigger:
    """The Hyperscan trigger of a rule's pattern. Raises ValueError for what cannot be translated.

    `escaped=False` is for patterns that say themselves how they stand inside of strings.
    """
    tree = _parser.parse(pattern)
    caseless = bool(tree.state.flags & re.IGNORECASE)
    return Trigger(_Translator(escaped).sequence(_cut(list(tree))), caseless)


def width(pattern: str) -> int:
    """The most characters a match can have. Raises ValueError if there is no bound."""
    widest = int(_parser.parse(pattern).getwidth()[1])
    if widest > 100_000:
        raise ValueError(f"the pattern has no bound: give each repeat a maximum: {pattern}")
    return widest


def reach(pattern: str) -> int:
    """How far before the end of a hit of its trigger a match can begin, at most."""
    tree = _parser.parse(pattern)
    return int(_parser.SubPattern(tree.state, _cut(list(tree))).getwidth()[1])


def _cut(items: list[Any]) -> list[Any]:
    """Without trailing assertions, and with the last repeat at its minimum."""
    while items and items[-1][0] in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT):
        items.pop()
    if not items:
        return items
    operator, argument = items[-1]
    if operator in _REPEATS:
        least, _most, body = argument
        items[-1] = (operator, (least, least, body))
        if least == 0:
            return _cut(items[:-1])
    elif operator is _constants.SUBPATTERN:
        group, add, remove, body = argument
        items[-1] = (operator, (group, add, remove, _parser.SubPattern(body.state, _cut(list(body)))))
    return items


class _Translator:
    """From the tree of a pattern to the syntax of Hyperscan."""

    def __init__(self, escaped: bool) -> None:
        self._escaped = escaped

    def sequence(self, items: Any) -> str:
        return "".join(self._item(operator, argument) for operator, argument in items)

    def _item(self, operator: Any, argument: Any) -> str:
        if operator is _constants.BRANCH:
            return f"(?:{'|'.join(self.sequence(branch) for branch in argument[1])})"
        if operator in _REPEATS:
            least, most, body = argument
            return f"(?:{self.sequence(body)}){_quantifier(least, most)}"
        if operator is _constants.IN:
            return self._class(argument)
        if operator is _constants.LITERAL:
            return self._character(argument)
        return self._other(operator, argument)

    def _other(self, operator: Any, argument: Any) -> str:
        if operator in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT):
            return ""
        if operator is _constants.SUBPATTERN:
            _group, add, _remove, body = argument
            return f"(?{'i' if add & re.IGNORECASE else ''}:{self.sequence(body)})"
        if operator is _constants.ATOMIC_GROUP:
            return f"(?:{self.sequence(argument)})"
        if operator is _constants.NOT_LITERAL:
            return f"[^{_literal(argument)}]"
        if operator is _constants.ANY:
            return r"[^\n]"
        raise ValueError(f"{operator} has no place in a rule: write the pattern without it")

    def _character(self, code: int) -> str:
        """A character, and how it stands inside of a JSON string."""
        if self._escaped and code in _QUOTES:
            return rf"\\*{_literal(code)}"
        return rf"(?:{_literal(code)}|\\+[nrt])" if self._escaped and code in _BREAKS else _literal(code)

    def _class(self, members: Any) -> str:
        text = f"[{''.join(_member(*member) for member in members)}]"
        if members[0][0] is _constants.NEGATE or not self._escaped:
            return text
        codes = {argument for operator, argument in members if operator is _constants.LITERAL}
        if codes & _QUOTES:
            text = rf"\\*{text}"
        return rf"(?:{text}|\\+[nrt])" if _SPACE in members or codes & _BREAKS else text


_QUOTES, _BREAKS = frozenset(map(ord, "\"'`/")), frozenset(map(ord, "\n\r\t"))
_SPACE = (_constants.CATEGORY, _constants.CATEGORY_SPACE)


def _quantifier(least: int, most: int) -> str:
    if most == _constants.MAXREPEAT or most - least > _COUNTED_MAX:
        return f"{{{least},}}"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"


def _member(operator: Any, argument: Any) -> str:
    if operator is _constants.NEGATE:
        return "^"
    if operator is _constants.RANGE:
        return f"{_literal(argument[0])}-{_literal(argument[1])}"
    if operator is _constants.CATEGORY:
        return _CATEGORIES[argument]
    return _literal(argument)


def _literal(code: int) -> str:
    character = chr(code)
    return character if character.isalnum() and code < 128 else f"\\x{code:02x}"
