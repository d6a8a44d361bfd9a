"""Where the parts of a snapshot lie. Apart from what makes one: the sandbox loads no driver."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`engine` is where an engine may open it, and write; `parts` has the links, which it must only read."""

    root: Path

    @property
    def engine(self) -> Path:
        """The path that an engine opens."""
        return self.root / "engine"

    @property
    def parts(self) -> Path:
        """What belongs to the store as well."""
        return self.root / "parts"

    def remove(self) -> None:
        """Gives back what the links hold."""
        shutil.rmtree(self.root, ignore_errors=True)
