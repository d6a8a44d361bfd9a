"""A real Apache Kafka broker (KRaft, one node) as a child process.

`prepare` does what takes time and can go wrong: the jars, the Java runtime, the ports, the storage. After
it `argv` and `env` start the broker any number of times with the same address and the same data.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from sluicegate.embedded.errors import BrokerError, BrokerNotReady, FormatError, PortInUse
from sluicegate.embedded.jars import JarCache, default_cache
from sluicegate.embedded.java import find_java
from sluicegate.embedded.kafka_settings import java_environment, java_flags, properties
from sluicegate.embedded.lock import read_lock
from sluicegate.embedded.ports import LOOPBACK, free_port, tcp_port_free
from sluicegate.embedded.probes import NotReady, kafka_ready
from sluicegate.embedded.say import Say

FORMAT_TIMEOUT_S = 60
SMALLEST_HEAP_MB = 128


@dataclass(frozen=True)
class _Prepared:
    port: int
    java_argv: tuple[str, ...]


class KafkaBroker:
    """One broker whose state is all under `home`.

    Args:
        home: directory for settings and data; created if it is missing.
        port: loopback port for clients; 0 takes the one of the last start if it is free, else a free one.
        sync: sync to disk before a record is acknowledged (survives a power cut).
        heap_mb: the Java heap's limit in MiB, 128 or more; the process takes about 200 MiB besides.
        cache: where the jars are kept; by default the user's cache folder or $SLUICEGATE_CACHE.
        extra_flags: for the Java runtime, after ours.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        sync: bool = True,
        heap_mb: int = 512,
        cache: Path | None = None,
        extra_flags: tuple[str, ...] = (),
    ) -> None:
        if heap_mb < SMALLEST_HEAP_MB:
            raise BrokerError(f"A heap of {heap_mb} MiB is too small: give {SMALLEST_HEAP_MB} MiB or more.")
        self.home = home.absolute()
        self.sync = sync
        self.heap_mb = heap_mb
        self._wanted_port = port
        self._cache = cache or default_cache()
        self._extra_flags = extra_flags
        self._prepared: _Prepared | None = None

    def prepare(self, progress: Say, stop: threading.Event | None = None) -> None:
        """Get everything ready for `argv`. Blocks; seconds, or as long as the first download takes.

        `stop`, set by another thread, ends a download under way with StopAsked.

        Raises:
            BrokerError: jars, Java or storage (see `errors`); the message says what to do.
            PortInUse: the given port is taken.
        """
        java = find_java()
        jars = JarCache(self._cache, read_lock()).ensure(progress, stop or threading.Event())
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            port = self._choose_ports()
        except OSError as error:
            raise BrokerError(
                f"The broker's directory {self.home} cannot be written ({error}). Make it writable for this "
                "user, or choose another data_dir."
            ) from error
        class_path = os.pathsep.join(map(str, jars))
        flags = (*java_flags(java, self.home, self.heap_mb), *self._extra_flags)
        argv = (str(java.path), *flags, "-cp", class_path)
        self._format_once(argv, progress)
        self._prepared = _Prepared(port, argv)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that runs the broker in the foreground; SIGTERM stops it in order."""
        return (*self._ready_made.java_argv, "kafka.Kafka", str(self._settings_path))

    @property
    def env(self) -> dict[str, str]:
        """The whole environment for `argv`."""
        return java_environment(os.environ)

    @property
    def port(self) -> int:
        """The port for clients, on 127.0.0.1."""
        return self._ready_made.port

    @property
    def bootstrap(self) -> str:
        """The address for clients, "127.0.0.1:PORT"."""
        return f"{LOOPBACK}:{self.port}"

    async def ready(self, timeout: float) -> None:
        """Wait until the broker answers a metadata request and has a controller.

        Raises:
            BrokerNotReady: it did not within `timeout` seconds.
        """
        try:
            await kafka_ready(self.port)(timeout)
        except NotReady as error:
            raise BrokerNotReady(
                f"The broker on {self.bootstrap} was not ready within {timeout:.0f} s ({error}). Read its log; "
                "on a slow or busy machine give it more time."
            ) from error

    @property
    def _ready_made(self) -> _Prepared:
        if self._prepared is None:
            raise BrokerError("The broker is not prepared yet: call prepare() first.")
        return self._prepared

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _settings_path(self) -> Path:
        return self.home / "server.properties"

    def _choose_ports(self) -> int:
        """Settle both ports and write the settings; give the clients' port."""
        port = self._wanted_port or self._last_port() or free_port()
        tcp_port_free(LOOPBACK, port, "the embedded broker's port")
        controller = free_port(avoid=frozenset({port}))
        self._settings_path.write_text(properties(self._data, port, controller, sync=self.sync))
        (self.home / "port").write_text(f"{port}\n")
        return port

    def _last_port(self) -> int:
        """The port of the last start if it can be taken again, else 0."""
        try:
            port = int((self.home / "port").read_text())
            tcp_port_free(LOOPBACK, port, "")
        except (FileNotFoundError, ValueError, PortInUse):
            return 0
        return port

    def _format_once(self, argv: tuple[str, ...], progress: Say) -> None:
        """Format the storage unless it is formatted; never touch one that holds records."""
        if (self._data / "meta.properties").exists():
            return
        if self._data.exists():
            self._refuse_unless_empty()
            shutil.rmtree(self._data)  # what a cut format left: no record was ever in it
        progress(f"kafka: preparing storage in {self._data}")
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        tool = (
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster}",
            "-c",
            str(self._settings_path),
        )
        try:
            subprocess.run(
                [*argv, *tool],
                env=self.env,
                capture_output=True,
                text=True,
                timeout=FORMAT_TIMEOUT_S,
                check=True,
                start_new_session=True,  # a Ctrl-C is for us, not for a format half done
            )
        except subprocess.CalledProcessError as error:
            raise self._format_error((error.stderr or error.stdout).strip()[-600:]) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._format_error(str(error)) from error

    def _refuse_unless_empty(self) -> None:
        if found := sorted(child.name for child in self._data.iterdir() if child.is_dir()):
            raise FormatError(
                f"{self._data} holds records ({', '.join(found[:3])}, …) but its meta.properties is gone. "
                "Put that file back from a backup, or move the directory away to start with an empty broker."
            )

    def _format_error(self, reason: str) -> FormatError:
        return FormatError(
            f"The broker's storage in {self._data} could not be prepared: {reason}. See that the disk has "
            "space and the directory can be written, then start again."
        )
