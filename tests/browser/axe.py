"""axe-core from the npm registry: in the cache with the locked checksum, or fetched by npm."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from sluicegate.embedded.errors import ChecksumError, DownloadError
from sluicegate.embedded.jars import default_cache

VERSION = "4.14.1"
SHA512 = (
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73"
    "4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)
FETCH_SECONDS = 120


def axe_source() -> str:
    """The script. Raises DownloadError, ChecksumError."""
    archive = default_cache() / "npm" / f"axe-core-{VERSION}.tgz"
    if not archive.exists() or _digest(archive) != SHA512:
        _fetch(archive)
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode("utf-8")


def _fetch(archive: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError("npm is not here, and axe-core comes from the npm registry: install Node.js")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=archive.parent) as scratch:
        command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", scratch]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCH_SECONDS, cwd=scratch)
        except (subprocess.SubprocessError, OSError) as error:
            raise DownloadError(f"axe-core could not be fetched ({error}): is there a network?") from error
        fetched = Path(scratch) / archive.name
        if _digest(fetched) != SHA512:
            raise ChecksumError(f"axe-core {VERSION} came with another content than the locked one")
        fetched.replace(archive)


def _digest(path: Path) -> str:
    return hashlib.sha512(path.read_bytes()).hexdigest()
