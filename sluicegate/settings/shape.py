"""The shape of the settings: which blocks a field names, and where a fault that pydantic tells stands in the file."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from sluicegate.settings.model import Settings
from sluicegate.settings.source import Loc


def blocks_in(annotation: Any) -> list[type[BaseModel]]:
    """The blocks that a field's type names: itself, inside a tuple, or each that may stand there."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for inner in get_args(annotation) for block in blocks_in(inner)]


def settings_in(block: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """(path, field) of every setting that is not only a block. Entries of a list, and of names of one's own, are
    written `name[].setting`."""
    for name, field in block.model_fields.items():
        blocks = blocks_in(field.annotation)
        if not blocks or _may_be_plain(field.annotation):
            yield f"{prefix}{name}", field
        in_list = "[]" if "tuple" in str(field.annotation) or _named(field.annotation) else ""
        for inner in blocks:
            yield from settings_in(inner, f"{prefix}{name}{in_list}.")


def block_at(loc: Loc) -> type[BaseModel]:
    """The block that pydantic's `loc` leads to."""
    block: type[BaseModel] = Settings
    annotation: Any = None
    for part in loc:
        if is_tag(part):
            annotation = _tagged(annotation, str(part))
            block = blocks_in(annotation)[0]
        elif isinstance(part, str) and _named(annotation):
            annotation = block  # a name of one's own; what is behind it is the block already
        elif isinstance(part, str):
            annotation = block.model_fields[part].annotation
            block = blocks_in(annotation)[0]
    return block


def in_file(loc: Loc) -> Loc:
    """`loc` as the file has it: pydantic adds which alternative it tried, and whether it looked at a key."""
    return tuple(part for part in loc if part != "[key]" and not is_tag(part))


def is_tag(part: str | int) -> bool:
    """Whether this part of a `loc` is the name of an alternative."""
    return isinstance(part, str) and part.startswith("<")


def _may_be_plain(annotation: Any) -> bool:
    """Whether one of the alternatives is no block."""
    inner = get_args(annotation)
    if any(isinstance(part, Tag) for part in inner):
        return not blocks_in(annotation)
    return any(_may_be_plain(part) for part in inner)


def _named(annotation: Any) -> bool:
    """Whether blocks stand there under names of one's own."""
    return get_origin(annotation) is dict and bool(blocks_in(annotation))


def _tagged(annotation: Any, tag: str) -> Any:
    for inner in get_args(annotation):
        if any(isinstance(part, Tag) and part.tag == tag for part in get_args(inner)):
            return inner
        found = _tagged(inner, tag)
        if found is not None:
            return found
    return None
