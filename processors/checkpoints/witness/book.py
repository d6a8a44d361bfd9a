"""What a witness has seen, on disk: durable before a cosignature leaves."""

import fcntl
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Self

from processors.checkpoints.witness.submission import Seen


class WitnessBook:
    """One file a log, in a folder that one process owns; a context manager. Raises OSError and ValueError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Raises BlockingIOError when another process has the folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def seen(self, origin: str) -> Seen:
        """The newest tree of a log. Raises ValueError for a file that cannot be read: nothing is cosigned then."""
        try:
            told = json.loads(self._path(origin).read_text("utf-8"))
            return Seen(int(told["size"]), bytes.fromhex(told["root"]))
        except FileNotFoundError:
            return Seen()
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self._path(origin)} cannot be read: {type(error).__name__}") from error

    def see(self, origin: str, seen: Seen) -> None:
        """Durable when it returns."""
        path = self._path(origin)
        draft = path.with_name(f".{path.name}")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"origin": origin, "size": seen.size, "root": seen.root.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _path(self, origin: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hexdigest()}.json"
