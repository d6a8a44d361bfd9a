"""The jar cache against a real registry on loopback that can be made to misbehave."""

from __future__ import annotations

import gc
import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sluicegate.embedded.errors import ChecksumError, DownloadError, LockFileError, StopAsked
from sluicegate.embedded.jars import JarCache, default_cache
from sluicegate.embedded.lock import JarLock, LockedJar, lock_text, read_lock
from sluicegate.embedded.say import say_nothing

CONTENTS = {"alpha": b"alpha" * 50_000, "beta": b"beta" * 50_000, "gamma": b"gamma" * 50_000}


class Registry(ThreadingHTTPServer):
    """Serves CONTENTS; `spoil` names how the next answers for a jar go wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spoil: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.on_ask: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:  # the name is http.server's
        name = next((name for name in CONTENTS if self.path.endswith(f"{name}-1.0.jar")), None)
        if name is None:
            self.send_error(404)
            return
        self.server.asked.append(name)
        if self.server.on_ask:
            self.server.on_ask.set()
        how = (self.server.spoil.get(name) or [""]).pop(0)
        body = CONTENTS[name] if how != "damaged" else b"<html>please log in</html>"
        if how == "refused":
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if how == "cut" else body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Keep the test output to itself."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with Registry() as server:
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\nlocal = {server.url}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> JarCache:
    jars = [
        LockedJar(f"org.example:{name}:1.0", len(content), hashlib.sha256(content).hexdigest())
        for name, content in CONTENTS.items()
    ]
    return JarCache(tmp_path / "cache", JarLock("0.0", tuple(jars)))


def ensure(cache: JarCache, said: list[str] | None = None) -> list[Path]:
    return cache.ensure((said if said is not None else []).append, threading.Event())


def test_jars_come_in_the_order_of_the_lock_and_only_once(registry: Registry, cache: JarCache) -> None:
    said: list[str] = []
    paths = ensure(cache, said)
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert said[0].startswith("kafka: fetching 3 jars, 1 MB, once, into ")
    assert said[-1] == "kafka: 3 of 3 jars, 1 of 1 MB"
    assert ensure(cache) == paths
    assert sorted(registry.asked) == sorted(CONTENTS)


def test_a_filled_cache_needs_no_network(registry: Registry, cache: JarCache) -> None:
    ensure(cache)
    registry.shutdown()
    registry.server_close()
    assert len(ensure(cache)) == 3


def test_a_jar_that_was_damaged_in_the_cache_is_named_and_fetched_again(
    registry: Registry, cache: JarCache
) -> None:
    damaged = ensure(cache)[1]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    said: list[str] = []
    ensure(cache, said)
    assert f"{damaged.name} in the cache is not what was locked; deleted" in said[0]
    assert damaged.read_bytes() == CONTENTS["beta"]
    assert registry.asked.count("beta") == 2


@pytest.mark.parametrize(
    ("how", "said_as"),
    [
        ("damaged", "came damaged and was deleted"),
        ("cut", "could not be fetched"),
        ("refused", "could not be fetched"),
    ],
)
def test_one_bad_download_is_said_and_tried_once_more(
    registry: Registry, cache: JarCache, how: str, said_as: str
) -> None:
    registry.spoil["beta"] = [how]
    said: list[str] = []
    ensure(cache, said)
    assert any("beta" in line and said_as in line and "trying once more" in line for line in said)


def test_a_download_that_stays_damaged_is_an_error_and_nothing_of_it_is_kept(
    registry: Registry, cache: JarCache
) -> None:
    registry.spoil["beta"] = ["damaged", "damaged"]
    with pytest.raises(ChecksumError, match=r"org\.example:beta:1\.0 came with another content.*proxy"):
        ensure(cache)
    assert not [path for path in cache.folder.iterdir() if "beta" in path.name or "partial" in path.name]


def test_a_download_that_stays_cut_is_an_error_that_says_what_to_do(
    registry: Registry, cache: JarCache
) -> None:
    registry.spoil["gamma"] = ["cut", "cut"]
    with pytest.raises(
        DownloadError, match=r"gamma:1\.0 could not be fetched.*HTTPS_PROXY.*SLUICEGATE_CACHE"
    ):
        ensure(cache)


def test_without_a_network_a_damaged_cache_says_that_the_network_is_needed(
    registry: Registry, cache: JarCache
) -> None:
    ensure(cache)[0].write_bytes(b"")
    registry.shutdown()
    registry.server_close()
    said: list[str] = []
    with pytest.raises(DownloadError, match=r"Connection refused.*needs a network"):
        ensure(cache, said)
    assert "not what was locked" in said[0]


def test_what_came_before_an_error_is_not_fetched_again(registry: Registry, cache: JarCache) -> None:
    registry.spoil["gamma"] = ["refused", "refused"]
    with pytest.raises(DownloadError):
        ensure(cache)
    came = {path.name for path in cache.folder.iterdir()}
    registry.asked.clear()
    ensure(cache)
    assert len(registry.asked) == 3 - len(came)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # jgo leaves its socket open
def test_a_stop_ends_the_download(registry: Registry, cache: JarCache) -> None:
    stop = threading.Event()
    registry.on_ask = stop
    with pytest.raises(StopAsked):
        cache.ensure(say_nothing, stop)
    assert not list(cache.folder.glob(".partial-*"))
    gc.collect()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, cache: JarCache) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"jar cache .*file.*SLUICEGATE_CACHE"):
        ensure(JarCache(tmp_path / "file" / "cache", cache.lock))


def test_the_cache_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_CACHE", "/somewhere/else")
    assert default_cache() == Path("/somewhere/else")
    monkeypatch.delenv("SLUICEGATE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_cache() == Path("/xdg/sluicegate")


def test_the_lock_names_coordinates_and_checksums_and_no_registry() -> None:
    lock = read_lock()
    assert lock.kafka == "4.3.1"
    assert len(lock.jars) == len({jar.filename for jar in lock.jars}) == 46
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in lock.jars)
    assert "://" not in lock_text(lock)


def test_the_lock_file_is_what_its_writer_writes(tmp_path: Path) -> None:
    (tmp_path / "again.lock").write_text(lock_text(read_lock()))
    assert read_lock(tmp_path / "again.lock") == read_lock()


@pytest.mark.parametrize("text", ["kafka = ", "kafka = '1'", "kafka = '1'\n[[jars]]\njar = 'a:b:c'\n"])
def test_a_damaged_lock_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "kafka.lock").write_text(text)
    with pytest.raises(LockFileError, match=r"kafka\.lock.*install Sluicegate again"):
        read_lock(tmp_path / "kafka.lock")
