"""How far an export has come, in a file that is written whole after each batch: so it goes on there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sinks.exports.events import Kind, Place


class ProgressError(ValueError):
    """The file is of another export, or none of ours. The text says what to do."""


@dataclass(slots=True)
class Progress:
    """`asked` says what for: a file made for something else is refused. `path` None keeps nothing."""

    path: Path | None
    asked: Mapping[str, Any]
    places: dict[Kind, Place] = field(default_factory=dict)
    counts: dict[Kind, int] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | None, asked: Mapping[str, Any]) -> "Progress":
        """What is in the file, or a beginning. Raises ProgressError and OSError."""
        if path is None or not path.exists():
            return cls(path, asked)
        try:
            kept = json.loads(path.read_text("utf-8"))
            was, places, counts = kept["asked"], kept["places"], kept["counts"]
        except (ValueError, KeyError, TypeError):
            raise ProgressError(
                f"{path} is no progress of an export; name another file, or remove it"
            ) from None
        if was != dict(asked):
            other = ", ".join(sorted(name for name in {*was, *asked} if was.get(name) != asked.get(name)))
            raise ProgressError(
                f"{path} belongs to another export (it differs in {other}); ask for the same, or name another file"
            )
        return cls(path, asked, {kind: Place(*place) for kind, place in places.items()}, counts)

    def arrived(self, kind: Kind, place: Place, count: int) -> None:
        """So many more of `kind` have arrived, up to `place`. Raises OSError."""
        self.places[kind] = place
        self.counts[kind] = self.counts.get(kind, 0) + count
        if self.path is not None:
            kept = {"asked": dict(self.asked), "places": self.places, "counts": self.counts}
            draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            draft.write_text(json.dumps(kept) + "\n", "utf-8")
            draft.replace(self.path)
