"""TLS towards a server: one context, made anew when what it was made of changes."""

import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from gateway.settings import UpstreamTls

LOOK_SECONDS = 1.0

TlsSource = Callable[[], UpstreamTls]
_Stamp = tuple[int, int, int]


class ClientTls:
    """Who is believed, and what is shown to who asks for a certificate. Nothing is ever left unverified.

    `tls` may be asked for anew at each use: a kubeconfig changes, a program gives another certificate.
    """

    def __init__(self, tls: UpstreamTls | TlsSource, clock: Callable[[], float] = time.monotonic) -> None:
        self.version = (
            0  # grows when another context is in force: what was opened before it is another caller
        )
        self._source: TlsSource = partial(_same, tls) if isinstance(tls, UpstreamTls) else tls
        self._clock = clock
        self._look_at = 0.0
        self._made_of: UpstreamTls | None = None
        self._stamps: list[_Stamp] = []
        self._context: ssl.SSLContext | None = None

    def prepare(self) -> None:
        """Makes the context now: reading the authorities of the system takes long, and no request should wait."""
        with suppress(OSError):  # who connects is told
            self.context()

    def context(self) -> ssl.SSLContext:
        """The context in force. Raises OSError (ssl.SSLError is one) when a file cannot be read or used."""
        tls, now = self._source(), self._clock()
        if self._context is None or tls is not self._made_of or (_files(tls) and now >= self._look_at):
            self._renew(tls)
            self._look_at = now + LOOK_SECONDS
        assert self._context is not None
        return self._context

    def server_name(self, host: str) -> str:
        """The name that the certificate of a server at `host` must bear."""
        return self._source().server_name or host

    def _renew(self, tls: UpstreamTls) -> None:
        try:
            stamps = [_stamp(file) for file in _files(tls)]
            if self._context is None or tls != self._made_of or stamps != self._stamps:
                self._context = _made(tls)
                self._stamps = stamps
                self.version += 1
            self._made_of = tls
        except OSError:
            self._context = None  # files that cannot be read are not replaced by what they once held
            raise


def _same(tls: UpstreamTls) -> UpstreamTls:
    return tls


def _files(tls: UpstreamTls) -> list[Path]:
    return [file for file in (tls.ca_file, tls.certificate_file, tls.key_file) if file]


def _made(tls: UpstreamTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file, cadata=tls.ca_data or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls.certificate_data or tls.key_data:
        with _readable(
            _pem(tls.certificate_data, tls.certificate_file) + _pem(tls.key_data, tls.key_file)
        ) as path:
            context.load_cert_chain(path, password=_nothing)
    elif tls.certificate_file:
        context.load_cert_chain(tls.certificate_file, tls.key_file, password=_nothing)
    return context


def _nothing() -> str:
    """A key under a passphrase is an error: nobody sits at the terminal that would be asked."""
    return ""


def _pem(data: str, file: Path | None) -> bytes:
    return data.encode() + b"\n" if data or file is None else file.read_bytes() + b"\n"


@contextmanager
def _readable(pem: bytes) -> Iterator[str]:
    """A path at which OpenSSL, which takes a key from a file alone, reads `pem`: of a file in memory that nobody else
    sees; where the system has none, of one that is this user's alone, and gone at once."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile() as file:
            file.write(pem)
            file.flush()
            yield file.name
        return
    descriptor = os.memfd_create("tls")
    try:
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(pem)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _stamp(file: Path) -> _Stamp:
    status = file.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino
