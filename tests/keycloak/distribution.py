"""Keycloak's distribution: in the cache with the locked checksum, or fetched from Maven Central."""

from __future__ import annotations

import zipfile
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from sluicegate.embedded.errors import ChecksumError, DownloadError
from sluicegate.embedded.jars import default_cache, matches
from sluicegate.embedded.lock import LockedJar
from sluicegate.embedded.say import Say

KEYCLOAK = LockedJar(
    coordinate="org.keycloak:keycloak-quarkus-dist:26.7.3",
    size_bytes=176_710_367,
    sha256="27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f",
)
FETCH_TIMEOUT_S = 30


def unpacked(folder: Path, say: Say, lock: LockedJar = KEYCLOAK) -> Path:
    """A fresh Keycloak in `folder`; gives its home. Raises DownloadError, ChecksumError."""
    with zipfile.ZipFile(_archive(say, lock)) as archive:
        archive.extractall(folder)
    return next(path for path in folder.iterdir() if path.name.startswith("keycloak-"))


def _archive(say: Say, lock: LockedJar) -> Path:
    folder = default_cache() / "keycloak"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{lock.coordinate.replace(':', '-')}.zip"
    if not path.exists() or not matches(path, lock):
        say(f"keycloak: fetching {lock.size_bytes / 1e6:.0f} MB, once, into {folder}")
        with TemporaryDirectory(prefix=".partial-", dir=folder) as scratch:
            fetched = _fetched(Path(scratch), lock.coordinate)
            if not matches(fetched, lock):
                raise ChecksumError(f"{lock.coordinate} came with another content than the locked one")
            fetched.replace(path)
    return path


def _fetched(scratch: Path, coordinate: str) -> Path:
    group, artifact, version = coordinate.split(":")
    resolver = PythonResolver(progress_callback=lambda _name, _size: nullcontext(lambda _count: None))
    context = MavenContext(
        resolver=resolver,
        repo_cache=scratch,
        local_repos=[],
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=FETCH_TIMEOUT_S,
    )
    try:
        wanted = context.project(group, artifact).at_version(version).artifact(packaging="zip")
        return Path(resolver.download(wanted))
    except (RequestException, RuntimeError) as error:
        raise DownloadError(f"{coordinate} could not be fetched ({error}): is there a network?") from error
