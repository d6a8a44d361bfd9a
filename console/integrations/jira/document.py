"""The Atlassian Document Format: texts of ours as documents, and comments of people as texts. Callers' texts are text
nodes without marks: nothing in them is a link, a mention or a macro."""

from typing import Any

from console.integrations.reading import items, text
from console.integrations.showing import View

Node = dict[str, Any]

TEXT_CHARACTERS_MAX = 4_000
DEPTH_MAX = 20


def document(*nodes: Node) -> Node:
    """A document."""
    return {"type": "doc", "version": 1, "content": list(nodes)}


def paragraph(words: str) -> Node:
    """One paragraph of plain text."""
    return {"type": "paragraph", "content": [_text(words)]} if words else {"type": "paragraph", "content": []}


def description(words: str, view: View) -> Node:
    """The template's text, and always what exactly is asked."""
    nodes = [paragraph(line) for line in words.splitlines() if line]
    nodes += [_fact(name, said) for name, said in view.facts]
    if view.arguments:
        nodes.append({"type": "codeBlock", "attrs": {}, "content": [_text(view.arguments)]})
    if not view.whole:
        nodes.append(paragraph("The arguments are longer than this; see all of them in the console."))
    if view.url:
        link = {"type": "link", "attrs": {"href": view.url}}
        nodes.append({"type": "paragraph", "content": [{**_text(view.url), "marks": [link]}]})
    return document(*nodes)


def plain(node: Any, depth: int = 0) -> str:
    """The words of a document, its blocks on lines of their own; cut where they are too many."""
    if depth > DEPTH_MAX:
        return ""
    if text(node, "type") == "text":
        return text(node, "text")
    if text(node, "type") == "hardBreak":
        return "\n"
    parts = [plain(each, depth + 1) for each in items(node, "content")]
    inline = text(node, "type") in ("paragraph", "heading", "codeBlock")
    return ("" if inline else "\n").join(part for part in parts if part)[:TEXT_CHARACTERS_MAX].strip("\n")


def _fact(name: str, said: str) -> Node:
    strong = {**_text(f"{name}: "), "marks": [{"type": "strong"}]}
    return {"type": "paragraph", "content": [strong, _text(said)]}


def _text(words: str) -> Node:
    return {"type": "text", "text": words}
