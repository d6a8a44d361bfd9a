"""A secret as it is now: of the environment, or of a file that is read again when it changes."""

import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from gateway.edge.credentials.injector import CredentialError
from gateway.settings import SecretSource

LOOK_SECONDS = 1.0
SECRET_BYTES_MAX = 64 * 1024

log = structlog.get_logger("credentials")

_Stamp = tuple[int, int, int]
Clock = Callable[[], float]


class Secret:
    """`version` grows each time the text is another one."""

    def __init__(
        self,
        source: SecretSource,
        connection: str,
        *,
        clock: Clock = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.version = 0
        self.look_at = 0.0  # by the clock: until then the text is known
        self._source = source
        self._connection = connection
        self._clock = clock
        self._environ = environ
        self._stamp: _Stamp | None = None
        self._text = ""
        self._fault = ""

    def __repr__(self) -> str:
        return f"<Secret {self._source.env or self._source.file}>"

    def text(self) -> str:
        """The secret, without the newline at its end. Raises CredentialError when it cannot be read or used."""
        now = self._clock()
        if now >= self.look_at:
            self._look()
            self.look_at = now + LOOK_SECONDS
        if self._fault:
            raise CredentialError(self._fault)
        return self._text

    def _look(self) -> None:
        try:
            text = self._of_file(self._source.file) if self._source.file else self._of_environment()
        except OSError as error:
            self._stamp = None
            self._tell("its secret cannot be read", error.strerror or type(error).__name__)
            return
        except ValueError as error:
            self._tell(str(error), "")
            return
        self._tell("", "")
        if text != self._text:
            self._text = text
            self.version += 1

    def _of_environment(self) -> str:
        name = self._source.env or ""
        if not self._environ.get(name):
            raise ValueError("its secret is not set in the environment of the gateway")
        return _usable(self._environ[name])

    def _of_file(self, path: Path) -> str:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep the whole gateway waiting
            raise ValueError("its secret is not in a regular file")
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == self._stamp and not self._fault:
            return self._text
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
        text = _usable(_decoded(content))
        self._stamp = stamp
        return text

    def _tell(self, fault: str, detail: str) -> None:
        if fault and fault != self._fault:
            where = {"env": self._source.env} if self._source.env else {"file": str(self._source.file)}
            log.error(
                "credential_unavailable", connection=self._connection, reason=fault, detail=detail, **where
            )
        self._fault = fault


def _decoded(content: bytes) -> str:
    if len(content) > SECRET_BYTES_MAX:
        raise ValueError(f"its secret is longer than {SECRET_BYTES_MAX} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("its secret is not UTF-8 text") from None  # the error shows the bytes


def _usable(text: str) -> str:
    plain = text.removesuffix("\n").removesuffix("\r")
    if not plain:
        raise ValueError("its secret is empty")
    if any(character < " " or character == "\x7f" for character in plain):
        raise ValueError("its secret holds control characters")
    return plain
