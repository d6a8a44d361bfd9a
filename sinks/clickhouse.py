"""The store's address and a client for it: embedded chDB or a ClickHouse server, behind one interface."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:  # the driver takes its time to import, and a command that asks over HTTP needs none of it
    from clickhouse_connect.driver.client import Client

EMBEDDED = "embedded"
DATABASE = "audit"

# The embedded engine shares the machine with everything else: few background threads, small caches (most default to
# gigabytes), freed memory given back soon, and no new merge while the ones under way use a gigabyte.
_ENGINE_OPTIONS = {
    "background_pool_size": "2",
    "background_schedule_pool_size": "2",
    "mark_cache_size": str(32 << 20),
    "index_mark_cache_size": str(16 << 20),
    "primary_index_cache_size": str(32 << 20),
    "query_condition_cache_size": str(8 << 20),
    "compiled_expression_cache_size": str(16 << 20),
    "text_index_tokens_cache_size": str(16 << 20),
    "text_index_header_cache_size": str(16 << 20),
    "text_index_postings_cache_size": str(16 << 20),
    "memory_worker_purge_dirty_pages_threshold_ratio": "0.01",
    "merges_mutations_memory_usage_soft_limit": str(1 << 30),
}

Result = TypeVar("Result")


class StoreError(RuntimeError):
    """The store cannot be used. The message says where and what to do."""


class StoreAwayError(StoreError):
    """The store does not answer now; the same call may do later."""


@dataclass(frozen=True, slots=True)
class ClickHouseAddress:
    """Where frames are stored: `embedded` (chDB under `data_dir`) or `clickhouse://user:password@host:8123/database`.

    `clickhouses://` is the same over TLS. Without a database in the address it is `audit`.
    """

    dsn: str
    data_dir: Path | None = None

    def __post_init__(self) -> None:
        if self.embedded:
            if self.data_dir is None:
                raise ValueError("clickhouse.dsn 'embedded' needs a data_dir to keep the store in")
        elif urlsplit(self.dsn).scheme not in ("clickhouse", "clickhouses", "http", "https"):
            raise ValueError(
                "clickhouse.dsn must be 'embedded' or clickhouse://user:password@host:port/database"
            )
        elif not urlsplit(self.dsn).hostname:
            raise ValueError(
                "clickhouse.dsn names no host; write clickhouse://user:password@host:port/database"
            )

    @property
    def embedded(self) -> bool:
        """Whether the store is chDB in the process that opens it."""
        return self.dsn == EMBEDDED

    @property
    def database(self) -> str:
        """The database that holds everything of ours."""
        return DATABASE if self.embedded else urlsplit(self.dsn).path.strip("/") or DATABASE

    @property
    def path(self) -> Path:
        """The embedded store's directory."""
        if self.data_dir is None:
            raise ValueError("only an embedded store has a path")
        return self.data_dir / "clickhouse"

    def __str__(self) -> str:
        """The address without its password, fit for a log line."""
        if self.embedded:
            return f"embedded store in {self.path}"
        url = urlsplit(self.dsn)
        return f"{url.scheme}://{url.hostname}:{url.port or _default_port(url.scheme)}/{self.database}"

    def connect(self, settings: Mapping[str, Any] | None = None, *, database: str | None = None) -> "Client":
        """A new client; one serves one thread. Raises StoreAwayError when nothing answers, StoreError otherwise.

        `database` None leaves the engine's default, which is there before any migration ran.
        """
        import clickhouse_connect  # noqa: PLC0415
        from clickhouse_connect.driver.exceptions import ClickHouseError  # noqa: PLC0415

        options = self._embedded_options() if self.embedded else self._server_options()
        try:
            return clickhouse_connect.get_client(
                **options, database=database or self._first_database, settings=dict(settings or {})
            )
        except (ClickHouseError, OSError) as exc:
            raise StoreAwayError(f"{self} does not answer: {_first_line(exc)}") from exc

    @property
    def _first_database(self) -> str | None:
        return None if self.embedded else "__default__"

    def _embedded_options(self) -> dict[str, Any]:
        return {"interface": "chdb", "path": str(self.path), "chdb_options": _ENGINE_OPTIONS}

    def _server_options(self) -> dict[str, Any]:
        url = urlsplit(self.dsn)
        secure = url.scheme in ("clickhouses", "https")
        return {
            "interface": "https" if secure else "http",
            "host": url.hostname,
            "port": url.port or _default_port(url.scheme),
            "username": unquote(url.username or "default"),
            "password": unquote(url.password or ""),
            "connect_timeout": 5,
            "send_receive_timeout": 60,
            "autogenerate_session_id": False,
        }


class StoreOwner:
    """This process owns the embedded store: nobody else may open it. Nothing to own for a server."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._address = address
        self._lock: int | None = None

    def acquire(self) -> None:
        """Takes the store's directory. Raises StoreError, naming the owner, when another process has it."""
        if not self._address.embedded:
            return
        path = self._address.path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise StoreError(f"the store directory {path} cannot be used: {exc.strerror}") from exc
        self._claim(path)
        _private_temporary_files(path)

    def _claim(self, path: Path) -> None:
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._lock, 32).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise StoreError(
                f"the store in {path} is open in process {owner}; one process at a time may own it: "
                "ask that one through its query API, or stop it first"
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets go of the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class StoreThread:
    """One client and the one thread that uses it; calls are served in order. Connects at the first call."""

    def __init__(self, connect: Callable[[], "Client"], name: str) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def call(self, work: Callable[["Client"], Result]) -> Result:
        """What `work` gives for the client. Raises what it raises, and StoreAwayError when nothing answers."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._serve, work)

    def _serve(self, work: Callable[["Client"], Result]) -> Result:
        if self._client is None:
            self._client = self._connect()
        return work(self._client)

    async def close(self) -> None:
        """Closes the client after the call under way."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)
        self._pool.shutdown(wait=True)

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _private_temporary_files(path: Path) -> None:
    """Inserts pass through unencrypted temporary files: gives them a directory of their own, and clears it."""
    private = path.with_suffix(".tmp")
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir(mode=0o700)
    os.environ["TMPDIR"] = tempfile.tempdir = str(private)


def _default_port(scheme: str) -> int:
    return 8443 if scheme in ("clickhouses", "https") else 8123


def _first_line(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0][:300]
