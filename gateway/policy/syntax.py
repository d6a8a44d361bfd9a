"""A condition as a tree, with places: what the checks, the index of rules and `explain` look at.

The tree never decides: conditions are evaluated by the CEL library from their text. Only what both this parser and
the library read is taken. Source: Common Expression Language, language definition, "Syntax".
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from gateway.policy.tokens import SyntaxProblemError, Token, tokens_of

TEXT_MAX: Final = 4096
DEPTH_MAX: Final = 40
LEVELS_MAX: Final = 100  # a chain of operators is as deep as it is long
MACROS: Final = frozenset({"exists", "all", "exists_one", "existsOne", "map", "filter"})
_RESERVED: Final = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop"}
    | {"namespace", "package", "return", "var", "void", "while"}
)
_LEVELS: Final = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a condition: `kind`, its `name` (operator, field, function, identifier), its parts, its extent.

    Kinds: literal (`value`), name, select, index, call (parts: arguments), method (parts: target, arguments),
    unary, binary, conditional, list, map (parts: key, value, key, value …).
    """

    kind: str
    start: int
    end: int
    name: str = ""
    parts: tuple["Node", ...] = ()
    value: object = None

    def walk(self) -> Iterator["Node"]:
        """This node and all under it, outer ones first."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parse(text: str) -> Node:
    """The tree of `text`. Raises SyntaxProblemError."""
    if len(text) > TEXT_MAX:
        raise SyntaxProblemError(0, f"the condition is longer than {TEXT_MAX} characters; make it two rules")
    tree = _Parser(text).parse()
    level, levels = [tree], 0
    while level:
        level, levels = [part for node in level for part in node.parts], levels + 1
        if levels > LEVELS_MAX:
            raise SyntaxProblemError(
                0, f"has more than {LEVELS_MAX} parts in a row; use `in [...]`, or make it two rules"
            )
    return tree


def flattened(node: Node, operator: str) -> list[Node]:
    """The operands of a chain of one operator (`a && b && c`), in order; the node itself when it is none."""
    if node.kind == "binary" and node.name == operator:
        return [leaf for part in node.parts for leaf in flattened(part, operator)]
    return [node]


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens_of(text))
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._expression()
        if self._peek().kind != "end":
            self._unexpected("`&&`, `||` or the end")
        return node

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise SyntaxProblemError(self._peek().start, "is nested too deep; make it two rules")
        node = self._binary(0)
        if self._take("?"):
            yes = self._binary(0)
            self._expect(":")
            no = self._expression()
            node = Node("conditional", node.start, no.end, "?", (node, yes, no))
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while self._peek().kind in ("sign", "name") and self._peek().text in _LEVELS[level]:
            operator = self._next().text
            right = self._binary(level + 1)
            node = Node("binary", node.start, right.end, operator, (node, right))
        return node

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self._peek().text in ("!", "-") and self._peek().kind == "sign":
            signs.append(self._next())
            if len(signs) > DEPTH_MAX:
                raise SyntaxProblemError(signs[0].start, "too many signs in a row")
        node = self._member()
        for sign in reversed(signs):
            node = Node("unary", sign.start, node.end, sign.text, (node,))
        return node

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._take("."):
                node = self._selection(node)
            elif self._take("["):
                index = self._expression()
                node = Node("index", node.start, self._expect("]").end, "[]", (node, index))
            else:
                return node

    def _selection(self, node: Node) -> Node:
        field = self._next()
        if field.kind != "name" or field.text == "in":
            raise SyntaxProblemError(field.start, "a field's name must follow the `.`")
        if self._take("("):
            arguments, end = self._list(")")
            return Node("method", node.start, end, field.text, (node, *arguments))
        return Node("select", node.start, field.end, field.text, (node,))

    def _primary(self) -> Node:
        token = self._next()
        if token.kind == "literal":
            return Node("literal", token.start, token.end, token.text, value=token.value)
        if token.kind == "name" and token.text not in _RESERVED:
            return self._named(token)
        if token.kind == "sign" and token.text in ("(", "[", "{"):
            return self._bracketed(token)
        self._at -= token.kind != "end"
        return self._unexpected("a name, a text, a number or `(`")

    def _named(self, token: Token) -> Node:
        if not self._take("("):
            return Node("name", token.start, token.end, token.text)
        arguments, end = self._list(")")
        return Node("call", token.start, end, token.text, arguments)

    def _bracketed(self, opening: Token) -> Node:
        if opening.text == "(":
            node = self._expression()
            return replace(node, start=opening.start, end=self._expect(")").end)
        if opening.text == "[":
            items, end = self._list("]")
            return Node("list", opening.start, end, "[", items)
        return self._map(opening)

    def _list(self, close: str) -> tuple[tuple[Node, ...], int]:
        items: list[Node] = []
        while self._peek().text != close or self._peek().kind != "sign":
            items.append(self._expression())
            if not self._take(","):
                break
        return tuple(items), self._expect(close).end

    def _map(self, opening: Token) -> Node:
        parts: list[Node] = []
        while self._peek().text != "}":
            parts.append(self._expression())
            self._expect(":")
            parts.append(self._expression())
            if not self._take(","):
                break
        return Node("map", opening.start, self._expect("}").end, "{", tuple(parts))

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _take(self, sign: str) -> bool:
        if self._peek().kind == "sign" and self._peek().text == sign:
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> Token:
        if self._peek().kind != "sign" or self._peek().text != sign:
            self._unexpected(f"`{sign}`")
        return self._next()

    def _unexpected(self, wanted: str) -> NoReturn:
        token = self._peek()
        found = (
            "the condition ends" if token.kind == "end" else f"`{self._text[token.start : token.end]}` stands"
        )
        raise SyntaxProblemError(token.start, f"{found} where {wanted} should be")
