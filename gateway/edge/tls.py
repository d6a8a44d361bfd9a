"""TLS towards a server: one context, made anew when a file that it was read from changes."""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gateway.settings import UpstreamTls

LOOK_SECONDS = 1.0

_Stamp = tuple[int, int, int]


class ClientTls:
    """Who is believed, and what is shown to who asks for a certificate. Nothing is ever left unverified."""

    def __init__(self, tls: UpstreamTls, clock: Callable[[], float] = time.monotonic) -> None:
        self._tls = tls
        self._clock = clock
        self._files = [file for file in (tls.ca_file, tls.certificate_file, tls.key_file) if file]
        self._look_at = 0.0
        self._stamps: list[_Stamp] = []
        self._context: ssl.SSLContext | None = None

    def prepare(self) -> None:
        """Makes the context now: reading the authorities of the system takes long, and no request should wait."""
        with suppress(OSError):  # who connects is told
            self.context()

    def context(self) -> ssl.SSLContext:
        """The context in force. Raises OSError (ssl.SSLError is one) when a file cannot be read or used."""
        now = self._clock()
        if self._context is None or (self._files and now >= self._look_at):
            self._renew()
            self._look_at = now + LOOK_SECONDS
        assert self._context is not None
        return self._context

    def _renew(self) -> None:
        try:
            stamps = [_stamp(file) for file in self._files]
            if self._context is None or stamps != self._stamps:
                self._context = _made(self._tls)
                self._stamps = stamps
        except OSError:
            self._context = None  # files that cannot be read are not replaced by what they once held
            raise


def _made(tls: UpstreamTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls.certificate_file:
        # a key under a passphrase is an error: nobody sits at the terminal that would be asked
        context.load_cert_chain(tls.certificate_file, tls.key_file, password=lambda: "")
    return context


def _stamp(file: Path) -> _Stamp:
    status = file.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino
