"""A condition cut into tokens. Source: Common Expression Language, language definition, "Syntax"."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN = re.compile(
    r"""
    (?P<space>(?:\s|//[^\n]*)+)
  | (?P<text>(?:[rR]|[bB][rR]?)?(?:\"\"\"|'''|"|'))
  | (?P<number>0x[0-9a-fA-F]+u?|(?:[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+)|[0-9]+[uU]?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_HINTS: Final = {
    "=": "`=` is not read here; compare with `==`",
    "&": "`&` is not read here; `and` is written `&&`",
    "|": "`|` is not read here; `or` is written `||`",
}


class SyntaxProblemError(ValueError):
    """The text is no condition. `offset` is where, in characters from 0."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset
        self.text = text


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: literal (with its `value`), name, sign or end. `start` and `end` are characters from 0."""

    kind: str
    text: str
    start: int
    end: int
    value: object = None


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of a condition, and one of kind `end`. Raises SyntaxProblemError."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise SyntaxProblemError(at, _HINTS.get(text[at], f"`{text[at]}` is not read here"))
        kind, found = str(match.lastgroup), match[0]
        at = match.end()
        if kind == "text":
            token = _text_token(text, match)
            at = token.end
            yield token
        elif kind == "number":
            yield Token("literal", found, match.start(), at, _number(found))
        elif found in ("true", "false", "null"):
            yield Token("literal", found, match.start(), at, {"true": True, "false": False}.get(found))
        elif kind != "space":
            yield Token(kind, found, match.start(), at)
    yield Token("end", "", len(text), len(text))


def _text_token(text: str, opening: re.Match[str]) -> Token:
    prefix = opening[0].rstrip("\"'").lower()
    quote = opening[0][len(prefix) :]
    at = opening.end()
    while not text.startswith(quote, at):
        at += 2 if text[at : at + 1] == "\\" and "r" not in prefix else 1
        if at >= len(text) or (len(quote) == 1 and text[at] == "\n"):
            raise SyntaxProblemError(opening.start(), f"the text that begins here has no closing {quote}")
    raw, end = text[opening.end() : at], at + len(quote)
    value: object = raw.encode() if "b" in prefix else raw if "r" in prefix else _unescaped(raw)
    return Token("literal", text[opening.start() : end], opening.start(), end, value)


def _unescaped(raw: str) -> str | None:
    """The text; None where an escape is one that not every reader takes alike (it then helps no index)."""
    if "\\" not in raw:
        return raw
    if re.search(r"\\[^\\'\"nrt]", raw):
        return None
    plain = raw.replace("\n", "\\n").replace("\r", "\\r")
    return str(ast.literal_eval(f'"""{plain}"""')) if '"' not in plain else None


def _number(found: str) -> int | float:
    if found.lower().startswith("0x"):
        return int(found.lower().rstrip("u"), 16)
    if found[-1] in "uU" or found.isdigit():
        return int(found.rstrip("uU"))
    return float(found)
