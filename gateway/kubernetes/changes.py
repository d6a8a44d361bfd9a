"""Which fields a body would set or remove, as paths: `spec.template.spec.containers[0].image`.

A key that is no plain name stands quoted: `metadata.labels["app.kubernetes.io/name"]`. Paths lead to single values
and to empty maps and lists; what says only which object is meant (apiVersion, kind, its name and namespace) is none.
The index of a list is that within the body, since only the API server knows with what it merges a list.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

PATHS_MAX: Final = 2_000
"""More than a condition can be given: one that looks at a longer list cannot be computed, and denies. So is"""
CHARACTERS_MAX: Final = 500_000
"""what all paths together have."""

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_IDENTITY: Final = frozenset({"apiVersion", "kind", "metadata.name", "metadata.namespace"})
_REMOVED_FROM: Final = "$deleteFromPrimitiveList/"
_ORDER: Final = "$setElementOrder/"


@dataclass(slots=True)
class Changes:
    """`object`: what would be set, as far as the body has it; `known` is False where the body does not say all of it
    (a JSON patch that moves or copies)."""

    sets: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    object: Any = field(default_factory=dict)
    known: bool = True
    characters: int = 0

    @property
    def full(self) -> bool:
        """Whether there are more than any condition looks at."""
        return len(self.sets) + len(self.deletes) > PATHS_MAX or self.characters > CHARACTERS_MAX

    def set(self, path: str) -> None:
        """A path that gets a value."""
        if path not in _IDENTITY:
            self.sets.append(path)
            self.characters += len(path)

    def delete(self, path: str) -> None:
        """A path that is removed."""
        self.deletes.append(path)
        self.characters += len(path)


def set_by(value: Any) -> Changes:
    """What an object as a whole sets: one that is created, put in place of another, or applied."""
    changes = Changes(object=value)
    note_values(changes, "", value)
    return changes


def merged(value: Any, *, strategic: bool) -> Changes:
    """What a merge patch sets, and deletes by null; a strategic one deletes by its directives too (`$patch`)."""
    changes = Changes(object=value)
    _merge(changes, "", value, strategic)
    return changes


def note_values(changes: Changes, path: str, value: Any) -> None:
    """Notes the paths to all values under `path`."""
    if changes.full:
        return
    if isinstance(value, dict) and value:
        for key, each in value.items():
            note_values(changes, member(path, key), each)
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            note_values(changes, f"{path}[{index}]", each)
    else:
        changes.set(path)


def member(path: str, key: str) -> str:
    """The path of a member."""
    if not _PLAIN.fullmatch(key):
        return f"{path}[{msgspec.json.encode(key).decode()}]"
    return f"{path}.{key}" if path else key


def _merge(changes: Changes, path: str, value: Any, strategic: bool) -> None:
    if changes.full:
        return
    if value is None:
        changes.delete(path)
    elif isinstance(value, dict) and value:
        _merge_members(changes, path, value, strategic)
    elif strategic and isinstance(value, list) and value:
        for index, each in enumerate(value):
            _merge(changes, f"{path}[{index}]", each, strategic)
    else:
        note_values(changes, path, value)


def _merge_members(changes: Changes, path: str, members: dict[str, Any], strategic: bool) -> None:
    if strategic and members.get("$patch") == "delete":
        changes.delete(path)  # what stands beside it says only which element
        return
    for key, each in members.items():
        if not (strategic and key.startswith("$") and _directive(changes, path, key, each)):
            _merge(changes, member(path, key), each, strategic)


def _directive(changes: Changes, path: str, key: str, value: Any) -> bool:
    """Whether the key is an instruction and no field; what it deletes is noted. Source:
    k8s.io/apimachinery/pkg/util/strategicpatch."""
    if key.startswith(_REMOVED_FROM):
        changes.delete(member(path, key.removeprefix(_REMOVED_FROM)))
    elif key == "$retainKeys" or (key == "$patch" and value == "replace"):
        changes.delete(path)  # all that the body does not name
    elif key != "$patch" and not key.startswith(_ORDER):
        return False
    return True
