"""Which field of a Kubernetes message has which number, name and type: `fields.txt`, read once when it is needed.

The file is made by `python -m tests.gateway.kubernetes.make_fields`; its first lines say how it is written.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Final

SCALARS: Final = frozenset({"string", "bytes", "bool", "int32", "int64"})
_MARKS: Final = "*%^?"
META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1"


@dataclass(frozen=True, slots=True)
class Field:
    """`kind`: a scalar, or the full name of a message. `mark`: '' or one of `* % ^ ?`, as in the file."""

    name: str
    kind: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`messages`: fields by number, by full name; `packages`: by `group/version`."""

    messages: dict[str, dict[int, Field]] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)

    def message_of(self, api_version: str, kind: str) -> str | None:
        """The full name of a kind's message. Options of a delete go by the version of what is deleted, too."""
        name = f"{self.packages.get(api_version, '')}.{kind}"
        if name in self.messages:
            return name
        return f"{META}.{kind}" if kind == "DeleteOptions" else None


@lru_cache(maxsize=1)
def table() -> Table:
    """All messages."""
    found, package, message = Table(), "", ""
    text = files("gateway.kubernetes").joinpath("fields.txt").read_text("utf-8")
    for line in text.splitlines():
        match line.split():
            case ["=", package, group_version]:
                found.packages[group_version] = package
            case ["=", package]:
                pass
            case [message]:
                found.messages[f"{package}.{message}"] = {}
            case [number, name, kind] if not line.startswith("#"):
                found.messages[f"{package}.{message}"][int(number)] = _field(package, name, kind)
    return found


def _field(package: str, name: str, kind: str) -> Field:
    mark = kind[0] if kind[0] in _MARKS else ""
    plain = kind.removeprefix(mark)
    return Field(name, plain if plain in SCALARS or "." in plain else f"{package}.{plain}", mark)
