"""The broker's jars: in the cache with the locked checksums, or fetched.

A jar is fetched beside the cache, checked, and moved in by one rename: whatever is interrupted leaves
the cache whole, and two processes may fill it at once. The cache is checked at every start, so a jar
that changed on disk never runs.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from sluicegate.embedded.errors import ChecksumError, DownloadError, StopAsked
from sluicegate.embedded.lock import JarLock, LockedJar
from sluicegate.embedded.say import Say

FETCHES_AT_ONCE = 4
FETCH_TIMEOUT_S = 30
SAY_EVERY_S = 1.0


def default_cache() -> Path:
    """Where jars are kept between runs: $SLUICEGATE_CACHE, else `sluicegate` in the user's cache folder."""
    if given := os.environ.get("SLUICEGATE_CACHE"):
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "sluicegate"


class JarCache:
    """The jars of one lock in one cache directory."""

    def __init__(self, root: Path, lock: JarLock) -> None:
        self.lock = lock
        self.folder = root / f"kafka-{lock.kafka}"

    def ensure(self, say: Say, stop: threading.Event) -> list[Path]:
        """Give every jar of the lock, in its order, checked; fetch what is missing or damaged.

        Blocks. `stop` set by another thread ends it within one chunk of a download.

        Raises:
            DownloadError: the registry or the cache directory could not be used.
            ChecksumError: what the registry gives is not what was locked.
            StopAsked: `stop` was set.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if missing := self._missing(say):
                self._fetch_all(missing, say, stop)
        except OSError as error:
            raise DownloadError(
                f"The jar cache {self.folder} cannot be used ({error}). Make it writable and see that its "
                "disk has 200 MB free, or name another directory in SLUICEGATE_CACHE."
            ) from error
        return [self.folder / jar.filename for jar in self.lock.jars]

    def _missing(self, say: Say) -> list[LockedJar]:
        """The jars to fetch; a damaged one is deleted and named."""
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
            states = list(pool.map(self._state, self.lock.jars))
        for jar, state in zip(self.lock.jars, states, strict=True):
            if state == "damaged":
                say(f"kafka: {jar.filename} in the cache is not what was locked; deleted, fetching it again")
                (self.folder / jar.filename).unlink(missing_ok=True)
        return [jar for jar, state in zip(self.lock.jars, states, strict=True) if state != "whole"]

    def _state(self, jar: LockedJar) -> str:
        path = self.folder / jar.filename
        if not path.exists():
            return "absent"
        return "whole" if matches(path, jar) else "damaged"

    def _fetch_all(self, jars: list[LockedJar], say: Say, stop: threading.Event) -> None:
        tally = _Tally(len(jars), sum(jar.size_bytes for jar in jars), say, stop)
        say(f"kafka: fetching {tally.jars} jars, {tally.size_bytes / 1e6:.0f} MB, once, into {self.folder}")
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
            jobs = [pool.submit(self._fetch, jar, tally, say) for jar in jars]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                tally.given_up = True  # the others end at their next chunk; the first failure is told
                raise

    def _fetch(self, jar: LockedJar, tally: _Tally, say: Say) -> None:
        try:
            self._fetch_once(jar, tally)
        except (DownloadError, ChecksumError) as error:
            if tally.halted:
                raise
            how = (
                "came damaged and was deleted" if isinstance(error, ChecksumError) else "could not be fetched"
            )
            say(f"kafka: {jar.filename} {how}; trying once more")
            self._fetch_once(jar, tally)

    def _fetch_once(self, jar: LockedJar, tally: _Tally) -> None:
        with TemporaryDirectory(prefix=".partial-", dir=self.folder) as scratch:
            path = _download(jar, Path(scratch), tally)
            if not matches(path, jar):
                raise ChecksumError(
                    f"{jar.coordinate} came with another content than the locked one ({path.stat().st_size} "
                    f"bytes, {jar.size_bytes} expected); it was deleted. See whether a proxy rewrites "
                    "downloads here; if not, do not use this installation and report it."
                )
            path.replace(self.folder / jar.filename)
        tally.add(jar)


class _Tally:
    """Counts what came and says so, at most once a second, from several threads; knows when to end."""

    def __init__(self, jars: int, size_bytes: int, say: Say, stop: threading.Event) -> None:
        self.jars, self.size_bytes = jars, size_bytes
        self.given_up = False
        self._stop = stop
        self._say, self._guard, self._said_at = say, threading.Lock(), time.monotonic()
        self._came, self._came_bytes = 0, 0

    @property
    def halted(self) -> bool:
        """Whether no more should be fetched: asked to stop, or another fetch failed for good."""
        return self.given_up or self._stop.is_set()

    def add(self, jar: LockedJar) -> None:
        """One more jar is in the cache."""
        with self._guard:
            self._came += 1
            self._came_bytes += jar.size_bytes
            now = time.monotonic()
            if now - self._said_at >= SAY_EVERY_S or self._came == self.jars:
                self._said_at = now
                self._say(
                    f"kafka: {self._came} of {self.jars} jars, "
                    f"{self._came_bytes / 1e6:.0f} of {self.size_bytes / 1e6:.0f} MB"
                )


def matches(path: Path, jar: LockedJar) -> bool:
    """Whether the file has the locked size and SHA-256."""
    if path.stat().st_size != jar.size_bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _download(jar: LockedJar, scratch: Path, tally: _Tally) -> Path:
    """Fetch one jar into `scratch`, by the user's own list of registries if jgo's settings have one."""

    def on_chunk(_count: int) -> None:
        if tally.halted:
            raise StopAsked("Stopped while the broker's jars were being fetched.")

    on_chunk(0)
    resolver = PythonResolver(progress_callback=lambda _name, _size: nullcontext(on_chunk))
    context = MavenContext(
        resolver=resolver,
        repo_cache=scratch,
        local_repos=[],
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=FETCH_TIMEOUT_S,
    )
    try:
        return Path(resolver.download(context.create_dependency(jar.coordinate).artifact))
    except (RequestException, RuntimeError) as error:
        # jgo reports a refused file as a bare RuntimeError.
        raise DownloadError(
            f"{jar.coordinate} could not be fetched ({_reason(error)}). The first start needs a "
            "network; behind a proxy set HTTPS_PROXY, behind a mirror name it under [repositories] in jgo's "
            "settings file; or copy the cache directory from a machine where Sluicegate has run and name it "
            "in SLUICEGATE_CACHE."
        ) from error


def _reason(error: BaseException) -> str:
    """The innermost cause: the outer ones only repeat the address."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return f"{type(error).__name__}: {error}"[:300]
