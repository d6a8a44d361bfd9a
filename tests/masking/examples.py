"""Strings that a rule's pattern matches, made from the pattern itself: no example in this repository
looks live.
"""

from __future__ import annotations

import random
import re
import string
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]
_c: Any = re._constants  # type: ignore[attr-defined]
_ALPHABET = string.ascii_letters + string.digits
_CLASSES = {
    _c.CATEGORY_DIGIT: string.digits,
    _c.CATEGORY_WORD: _ALPHABET,
    _c.CATEGORY_SPACE: " ",
    _c.CATEGORY_NOT_SPACE: _ALPHABET,
    _c.CATEGORY_NOT_DIGIT: string.ascii_letters,
    _c.CATEGORY_NOT_WORD: "-",
}


def example(pattern: str, seed: int = 0) -> str:
    """One string this pattern matches, the same for the same seed."""
    return _sequence(_parser.parse(pattern), random.Random(f"{seed} {pattern}"))


def _sequence(items: Any, dice: random.Random) -> str:
    return "".join(_item(operator, argument, dice) for operator, argument in items)


def _item(operator: Any, argument: Any, dice: random.Random) -> str:  # noqa: PLR0911 - one line a node
    if operator is _c.LITERAL:
        return chr(argument)
    if operator is _c.IN:
        return dice.choice(_members(argument))
    if operator is _c.NOT_LITERAL:
        return dice.choice(_ALPHABET.replace(chr(argument), ""))
    if operator is _c.ANY:
        return dice.choice(_ALPHABET)
    if operator is _c.BRANCH:
        return _sequence(dice.choice(argument[1]), dice)
    if operator in (_c.MAX_REPEAT, _c.MIN_REPEAT, _c.POSSESSIVE_REPEAT):
        least, most, body = argument
        count = least if least else dice.randint(0, min(most, 1))
        return "".join(_sequence(body, dice) for _ in range(count))
    if operator is _c.SUBPATTERN:
        return _sequence(argument[3], dice)
    return ""


def _members(members: Any) -> str:
    """The characters of a class, letters and digits first: they make the examples readable."""
    negated, characters = False, ""
    for operator, argument in members:
        if operator is _c.NEGATE:
            negated = True
        elif operator is _c.RANGE:
            characters += "".join(map(chr, range(argument[0], argument[1] + 1)))
        elif operator is _c.CATEGORY:
            characters += _CLASSES[argument]
        else:
            characters += chr(argument)
    if negated:
        return "".join(c for c in _ALPHABET if c not in characters) or "-"
    return "".join(c for c in characters if c in _ALPHABET) or characters
