"""JSON as it was written: duplicate keys stay, numbers keep their digits. Text in, a tree out; no I/O."""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

PARSED_CHARACTERS_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, or `true`, `false`, `null`, by its letters."""

    text: str


class Pairs(list[tuple[str, Any]]):
    """An object: its members in order, duplicates among them."""


Tree: TypeAlias = Pairs | list[Any] | str | Literal


class NoJsonError(ValueError):
    """The text is no JSON, or more of it than is laid out."""


def parsed(text: str) -> Tree:
    """Raises NoJsonError."""
    if len(text) > PARSED_CHARACTERS_MAX:
        raise NoJsonError("too long")
    try:
        found = json.loads(
            text, object_pairs_hook=Pairs, parse_int=Literal, parse_float=Literal, parse_constant=Literal
        )
    except (ValueError, RecursionError) as error:
        raise NoJsonError(str(error)) from None
    tree: Tree = _whole(found)
    return tree


def member(tree: Any, *names: str) -> Any:
    """What stands under these keys, one below the other; None where nothing does."""
    for name in names:
        if not isinstance(tree, Pairs):
            return None
        tree = next((value for key, value in reversed(tree) if key == name), None)
    return tree


def _whole(found: Any) -> Any:
    """The three words alone need what a hook cannot give them."""
    words = {True: "true", False: "false", None: "null"}
    stack: list[Any] = [holder := [found]]
    while stack:
        each = stack.pop()
        for at, item in enumerate(each):
            value = item[1] if isinstance(each, Pairs) else item
            if value is None or isinstance(value, bool):
                literal = Literal(words[value])
                each[at] = (item[0], literal) if isinstance(each, Pairs) else literal
            elif isinstance(value, list):
                stack.append(value)
    return holder[0]
