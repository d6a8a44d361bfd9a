"""One entry of a kubeconfig (a context, a cluster or a user), and how its settings are read."""

from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Faults = list[str]
_FALSE = (None, False, "", "false", "False", "FALSE")


@dataclass(frozen=True, slots=True)
class Entry:
    """`content` is under `name`, in a file of `folder`."""

    kind: str
    name: str
    content: dict[str, Any] = field(repr=False)
    folder: Path

    def told(self, text: str) -> str:
        """A fault of this entry."""
        return f"{self.kind} `{self.name}`: {text}"

    def text(self, key: str) -> str:
        """Text at `key`; '' when there is none."""
        value = self.content.get(key)
        return value if isinstance(value, str) else ""

    def has(self, key: str) -> bool:
        """Whether something stands at `key`."""
        return self.content.get(key) not in (None, "", [], {})

    def yes(self, key: str) -> bool:
        """Whether `key` is true. What is neither true nor false is taken for true: the careful reading here."""
        return self.content.get(key) not in _FALSE

    def path(self, key: str) -> Path | None:
        """The path at `key`, from the folder of the file."""
        text = self.text(key)
        return Path(self.folder, text) if text else None

    def pem(self, key: str, faults: Faults) -> str:
        """The PEM text that stands at `key` in base64; '' when there is none or it is told in `faults`."""
        if not self.has(key):
            return ""
        try:
            pem = b64decode("".join(self.text(key).split()), validate=True).decode("ascii")
        except ValueError:
            pem = ""
        if "-----BEGIN " not in pem:
            faults.append(self.told(f"`{key}` is no PEM in base64; write it anew (base64 -w0 FILE)"))
            return ""
        return pem

    def file(self, key: str, faults: Faults) -> Path | None:
        """The file at `key`, which has to be there."""
        path = self.path(key)
        if path is not None and not path.is_file():
            faults.append(
                self.told(f"`{key}` names a file that is not there (paths are relative to the kubeconfig)")
            )
        return path
