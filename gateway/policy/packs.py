"""The packs that come with Sluicegate: rules as data, with settings that the policy that takes them may give."""

import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from gateway.policy.problems import did_you_mean
from gateway.policy.source import Document, Value, parse

_SETTING: Final = re.compile(r"\bpack\.([a-z_]+)\b")


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's document; `settings` are lists of text by name, with what they are unless given."""

    name: str
    document: Document
    settings: dict[str, list[str]]
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
    given = content.get("settings", {})
    assert isinstance(given, dict)
    settings = {key: texts(value) for key, value in given.items()}
    return Pack(name, document, settings, str(content.get("doc", "")))


def filled(text: str, settings: dict[str, list[str]]) -> str:
    """A pack's condition with `pack.NAME` replaced by the list that it stands for."""
    return _SETTING.sub(lambda match: _literal(settings[match[1]]), text)


def texts(value: Value) -> list[str]:
    """`value` as a list of text. Raises ValueError for anything else."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("must be a list of text")
    return [str(each) for each in value]


def _literal(values: list[str]) -> str:
    quoted = ("'" + each.replace("\\", "\\\\").replace("'", "\\'") + "'" for each in values)
    return "[" + ", ".join(quoted) + "]"


def _folder() -> Traversable:
    return files("gateway.policy").joinpath("packs")
