"""A body laid out for reading: lines of pieces, each with what it is and the redaction it stands for. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from console.web.pages.replay_marks import Marker
from console.web.pages.replay_tree import Literal, NoJsonError, Pairs, Tree, parsed

LINES_MAX = 2_000
LINE_CHARACTERS_MAX = 4_000
DEPTH_MAX = 60
INDENT = "  "
YAML_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


class Piece(NamedTuple):
    """`kind`: key, string, literal, sign or text; `mark`: number of the redaction that stands here, or 0."""

    text: str
    kind: str
    mark: int = 0


Line = list[Piece]


@dataclass(frozen=True, slots=True)
class Layout:
    """`form`: json, yaml or text. `cut`: what is not shown, in words; '' when all is."""

    form: str
    lines: list[Line] = field(default_factory=list)
    cut: str = ""

    @property
    def text(self) -> str:
        """Without marks and kinds."""
        return "\n".join("".join(piece.text for piece in line) for line in self.lines)


def laid_out(text: str, marker: Marker, form: str = "") -> Layout:
    """`text` (with marks) as JSON or YAML where it is JSON, else line by line."""
    tree = tree_of(text, marker)
    return as_text(text, marker) if tree is None else laid_out_tree(tree, marker, form)


def laid_out_tree(tree: Tree, marker: Marker, form: str = "") -> Layout:
    """A tree as JSON, or as YAML when that is asked for."""
    if form == "yaml":
        return _bounded("yaml", _yaml(tree, marker, 0))
    return _bounded("json", _json(tree, marker, 0, [], []))


def tree_of(text: str, marker: Marker) -> Tree | None:
    """The JSON of `text`; None where it is none. Marks that stand outside of a string would hide it."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    for each in (text, marker.plain(text)):
        try:
            return parsed(each)
        except NoJsonError:
            continue
    return None


def as_text(text: str, marker: Marker) -> Layout:
    """Line by line as it is."""
    return _bounded(
        "text", (_marked(line, "text", marker) for line in text.replace("\r\n", "\n").split("\n"))
    )


def _json(tree: Tree, marker: Marker, depth: int, lead: Line, trail: Line) -> Iterator[Line]:
    """`lead` stands before it on its first line, `trail` behind it on its last."""
    if isinstance(tree, Literal):
        yield [*lead, Piece(tree.text, "literal"), *trail]
    elif isinstance(tree, str):
        yield [*lead, *_quoted(tree, "string", marker), *trail]
    else:
        signs = "{}" if isinstance(tree, Pairs) else "[]"
        if not tree or depth >= DEPTH_MAX:
            yield [*lead, Piece(signs if not tree else f"{signs[0]} … {signs[1]}", "sign"), *trail]
            return
        yield [*lead, Piece(signs[0], "sign")]
        yield from _members(tree, marker, depth + 1)
        yield [_indent(depth), Piece(signs[1], "sign"), *trail]


def _members(tree: Tree, marker: Marker, depth: int) -> Iterator[Line]:
    members = list(tree) if isinstance(tree, (Pairs, list)) else []
    for at, item in enumerate(members):
        lead: Line = [_indent(depth)]
        value = item
        if isinstance(tree, Pairs):
            key, value = item
            lead += [*_quoted(key, "key", marker), Piece(": ", "sign")]
        trail = [Piece(",", "sign")] if at < len(members) - 1 else []
        yield from _json(value, marker, depth, lead, trail)


def _yaml(tree: Tree, marker: Marker, depth: int) -> Iterator[Line]:
    """The lines of a tree at this depth; what is no container comes on one line, or as a block of its own."""
    if isinstance(tree, Pairs) and tree and depth < DEPTH_MAX:
        for key, value in tree:
            lead = [_indent(depth), *_plain_or_quoted(key, "key", marker), Piece(":", "sign")]
            yield from _yaml_member(value, marker, depth, lead)
    elif isinstance(tree, list) and tree and depth < DEPTH_MAX:
        items: list[Any] = tree
        for value in items:
            yield from _yaml_item(value, marker, depth)
    else:
        yield [_indent(depth), *_yaml_scalar(tree, marker)]


def _yaml_member(value: Tree, marker: Marker, depth: int, lead: Line) -> Iterator[Line]:
    if isinstance(value, str) and "\n" in value and _is_block(value):
        yield [*lead, Piece(" |" + ("" if value.endswith("\n") else "-"), "sign")]
        for line in value.removesuffix("\n").split("\n"):
            yield [_indent(depth + 1), *_marked(line, "string", marker)]
    elif isinstance(value, list) and value:
        yield lead
        yield from _yaml(value, marker, depth + 1)
    else:
        yield [*lead, Piece(" ", "sign"), *_yaml_scalar(value, marker)]


def _yaml_item(value: Tree, marker: Marker, depth: int) -> Iterator[Line]:
    """An item's first line begins with a dash where its indentation would end."""
    for at, line in enumerate(_yaml(value, marker, depth + 1)):
        yield [_indent(depth), Piece("- ", "sign"), *line[1:]] if at == 0 else line


def _yaml_scalar(value: Tree, marker: Marker) -> Line:
    if isinstance(value, Literal):
        return [Piece(value.text, "literal")]
    if isinstance(value, str):
        return _plain_or_quoted(value, "string", marker)
    signs = "{}" if isinstance(value, Pairs) else "[]"
    return [Piece(signs if not value else f"{signs[0]} … {signs[1]}", "sign")]


def _is_block(value: str) -> bool:
    """Whether each line can stand as it is."""
    edges = value.startswith((" ", "\n")) or value.endswith("\n\n")
    return not edges and all(line.isprintable() for line in value.split("\n"))


def _plain_or_quoted(text: str, kind: str, marker: Marker) -> Line:
    """As a plain scalar where YAML would read it back as this text."""
    bare = marker.plain(text)
    word = bare.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalnum()
    safe = word and bare[0].isalpha() and bare.lower() not in YAML_WORDS
    return _marked(text, kind, marker) if safe else _quoted(text, kind, marker)


def _quoted(text: str, kind: str, marker: Marker) -> Line:
    """As a JSON string; what a page could not show is escaped there anyway."""
    pieces = [Piece(_escaped(part), kind, mark) for part, mark in marker.pieces(text)]
    return [Piece('"', kind), *_shortened(pieces), Piece('"', kind)]


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _marked(text: str, kind: str, marker: Marker) -> Line:
    return _shortened([Piece(part, kind, mark) for part, mark in marker.pieces(text)])


def _shortened(pieces: Line) -> Line:
    """A line without end is cut, and says so."""
    left = LINE_CHARACTERS_MAX
    kept: Line = []
    for piece in pieces:
        if left > 0:
            kept.append(piece._replace(text=piece.text[:left]))
        left -= len(piece.text)
    if left < 0:
        kept.append(Piece(f" … {-left:,} more characters", "cut"))
    return kept


def _bounded(form: str, lines: Iterator[Line]) -> Layout:
    kept: list[Line] = []
    for line in lines:
        if len(kept) == LINES_MAX:
            return Layout(form, kept, f"The first {LINES_MAX:,} lines.")
        kept.append(line)
    return Layout(form, kept)


def _indent(depth: int) -> Piece:
    return Piece(INDENT * depth, "sign")
