"""A part's log: what it prints, in files of bounded size, and the last lines at hand."""

from __future__ import annotations

import os
from pathlib import Path

from sluicegate.embedded.say import Say

FILE_BYTES_MAX = 8 * 1024 * 1024
FILES_KEPT = 3
TAIL_BYTES_MAX = 32 * 1024


class RotatingLog:
    """Append-only bytes in NAME.log; a full file becomes NAME.log.1 and so on, the oldest goes.

    At most `bytes_max` × (`kept` + 1) bytes on disk. A disk that takes no more does not stop the part: it is
    said once, and the last lines stay in memory.
    """

    def __init__(
        self, path: Path, say: Say, *, bytes_max: int = FILE_BYTES_MAX, kept: int = FILES_KEPT
    ) -> None:
        self.path = path
        self._say, self._bytes_max, self._kept = say, bytes_max, kept
        self._recent = b""
        self._refused = False
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, chunk: bytes) -> None:
        """Write one chunk as it came."""
        self._recent = (self._recent + chunk)[-TAIL_BYTES_MAX:]
        try:
            if os.fstat(self._file).st_size + len(chunk) > self._bytes_max:
                self._rotate()
            os.write(self._file, chunk)
            self._refused = False
        except OSError as error:
            if not self._refused:
                self._say(f"{self.path} cannot be written ({error}); its lines are lost until it can")
            self._refused = True

    def tail(self, lines: int = 15) -> list[str]:
        """The last lines of this run."""
        return self._recent.decode(errors="replace").splitlines()[-lines:]

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _rotate(self) -> None:
        for number in range(self._kept, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if newer.exists():
                newer.replace(older)
        fresh = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(self._file)
        self._file = fresh
