"""What a person wants to read first of an MCP message: the call and its arguments, the text of an answer. Pure."""

from dataclasses import dataclass
from typing import Any

from console.web.pages.replay_lines import Layout, as_text, laid_out, laid_out_tree
from console.web.pages.replay_marks import Marker
from console.web.pages.replay_tree import Literal, Pairs, Tree, member

BLOCKS_MAX = 50


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said. `label`: what it is, in words."""

    label: str
    layout: Layout


def said(tree: Tree, marker: Marker, form: str = "") -> list[Said]:
    """Of a JSON-RPC message, in order; nothing of what is none, or says nothing beside its envelope."""
    if member(tree, "jsonrpc") is None:
        return []
    return [*_asked(tree, marker, form), *_answered(tree, marker, form)]


def _asked(tree: Tree, marker: Marker, form: str) -> list[Said]:
    params = member(tree, "params")
    if params is None:
        return []
    arguments = member(params, "arguments")
    name = member(params, "name")
    if isinstance(name, str) and arguments is not None:
        return [Said(f"{marker.plain(name)}, called with", laid_out_tree(arguments, marker, form))]
    text = member(params, "data") or member(params, "message")
    if isinstance(text, str):
        return [Said("Message", laid_out(text, marker, form))]
    return []


def _answered(tree: Tree, marker: Marker, form: str) -> list[Said]:
    error = member(tree, "error")
    if error is not None:
        code, message = member(error, "code"), member(error, "message")
        told = code.text if isinstance(code, Literal) else ""
        return [Said(f"Error {told}".strip(), as_text(message if isinstance(message, str) else "", marker))]
    result = member(tree, "result")
    content = member(result, "content") or member(result, "contents")
    found: list[Said] = []
    if isinstance(content, list) and not isinstance(content, Pairs):
        found = [_block(each, marker, form) for each in content[:BLOCKS_MAX]]
    structured = member(result, "structuredContent")
    if structured is not None and not found:
        found.append(Said("Structured content", laid_out_tree(structured, marker, form)))
    return found


def _block(block: Any, marker: Marker, form: str) -> Said:
    """One block of content: text is read as text, JSON in it as JSON; what is no text is named with its size."""
    kind = member(block, "type")
    text = member(block, "text") or member(block, "resource", "text")
    uri = member(block, "uri") or member(block, "resource", "uri")
    label = kind if isinstance(kind, str) else "Content"
    if isinstance(uri, str):
        label = f"{label} {marker.plain(uri)}"
    if isinstance(text, str):
        return Said(label, laid_out(text, marker, form))
    data = member(block, "data") or member(block, "blob") or member(block, "resource", "blob")
    if isinstance(data, str):
        mime = member(block, "mimeType")
        told = f"{mime if isinstance(mime, str) else 'bytes'}, {len(data):,} characters of Base64; not shown"
        return Said(label, as_text(told, marker))
    return Said(label, laid_out_tree(block, marker, form))
