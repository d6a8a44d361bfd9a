"""JSON of others, read by path: what is missing or of another kind is nothing."""

from collections.abc import Mapping
from typing import Any


def member(document: Any, *path: str | int) -> Any:
    """What is at a path into JSON; None when there is nothing."""
    for name in path:
        if isinstance(document, Mapping) and isinstance(name, str):
            document = document.get(name)
        elif isinstance(document, list) and isinstance(name, int) and -len(document) <= name < len(document):
            document = document[name]
        else:
            return None
    return document


def text(document: Any, *path: str | int) -> str:
    """The text at a path; '' when there is none."""
    found = member(document, *path)
    return found if isinstance(found, str) else ""


def items(document: Any, *path: str | int) -> list[Any]:
    """The list at a path; an empty one when there is none."""
    found = member(document, *path)
    return found if isinstance(found, list) else []
