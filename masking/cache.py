"""Compiled databases on disk: compiling takes a second, loading a fraction of a millisecond.

A file is named by what it was compiled from and begins with a digest of its content. It is only read if
it belongs to this user and nobody else can write it: a database from a stranger would be code.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

_DIGEST = 32


def directory() -> Path:
    """Where databases are kept: by the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "sluicegate"


def load(folder: Path, name: str) -> bytes | None:
    """The database of this name, or None if there is none that can be trusted."""
    try:
        with (folder / name).open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or status.st_mode & 0o022:
                return None
            content = file.read()
    except OSError:
        return None
    body = content[_DIGEST:]
    return body if hashlib.sha256(body).digest() == content[:_DIGEST] else None


def store(folder: Path, name: str, body: bytes) -> None:
    """Keep a database; where that is not possible (a read-only disk), the next start compiles again."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(path, folder / name)
    except OSError:
        return
