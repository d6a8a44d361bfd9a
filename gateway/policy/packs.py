"""The packs that come with Sluicegate: rules as data, with settings that the policy that takes them may give."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from gateway.policy.problems import did_you_mean
from gateway.policy.source import Document, Value, parse

_SETTING: Final = re.compile(r"\bpack\.([a-z_]+)\b")


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's document. `settings`: lists of text that a policy may give, as they are unless given; `constants`:
    texts and lists that its conditions share."""

    name: str
    document: Document
    settings: dict[str, list[str]]
    constants: dict[str, str | list[str]]
    doc: str


def pack_names() -> list[str]:
    """The packs there are, in alphabetical order."""
    return sorted(
        each.name.removesuffix(".yaml") for each in _folder().iterdir() if each.name.endswith(".yaml")
    )


def read_pack(name: str) -> Pack:
    """A pack by its name. Raises KeyError, with a hint, for one that there is not."""
    if name not in pack_names():
        raise KeyError(f"there is no pack `{name}`{did_you_mean(name, pack_names())}")
    document = parse((_folder() / f"{name}.yaml").read_text("utf-8"))
    content = document.value
    assert isinstance(content, dict)
    settings = {key: texts(value) for key, value in _mapping(content, "settings").items()}
    constants = {
        key: value if isinstance(value, str) else texts(value)
        for key, value in _mapping(content, "constants").items()
    }
    return Pack(name, document, settings, constants, str(content.get("doc", "")))


def filled(text: str, values: Mapping[str, str | list[str]]) -> str:
    """A pack's condition with `pack.NAME` replaced by the text or list that it stands for."""
    return _SETTING.sub(lambda match: _literal(values[match[1]]), text)


def texts(value: Value) -> list[str]:
    """`value` as a list of text. Raises ValueError for anything else."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("must be a list of text")
    if not all(str(each).isprintable() for each in value):
        raise ValueError("must have no control characters")
    return [str(each) for each in value]


def _mapping(content: dict[str, Value], key: str) -> dict[str, Value]:
    value = content.get(key, {})
    assert isinstance(value, dict)
    return value


def _literal(value: str | list[str]) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _folder() -> Traversable:
    return files("gateway.policy").joinpath("packs")
