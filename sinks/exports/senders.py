"""Whoever is sent events: a collector of OpenTelemetry logs, a syslog server."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from sinks.exports.cef import syslog
from sinks.exports.events import Event
from sinks.exports.otlp import otlp
from sinks.exports.places import PlaceError

TRIES = 5
_SECONDS_MAX = 30.0
_AGAIN = frozenset({429, 502, 503, 504})  # OTLP/HTTP: what may be tried again
_BATCH = 200


class Sender(Protocol):
    """Takes events, in order."""

    async def send(self, events: Sequence[Event]) -> None:
        """Returns once they have arrived, as far as the protocol can say. Raises PlaceError."""
        ...

    async def close(self) -> None:
        """Lets go of the connection."""
        ...


class OtlpSender:
    """POSTs protobuf to `url` (`https://collector:4318/v1/logs`). A batch refused for good fails the export."""

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, service_name: str = "sluicegate"
    ) -> None:
        self._url, self._service_name = url, service_name
        self._headers = {"Content-Type": "application/x-protobuf", **(headers or {})}
        self._http: aiohttp.ClientSession | None = None

    async def send(self, events: Sequence[Event]) -> None:
        """See Sender. What a collector takes in part counts as refused: it says how many, and not which."""
        for start in range(0, len(events), _BATCH):
            await self._post(otlp(events[start : start + _BATCH], self._service_name))

    async def _post(self, body: bytes) -> None:
        fault = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(min(2.0**attempt / 4, 8.0))
            try:
                fault = await self._try(body)
            except (aiohttp.ClientError, TimeoutError, OSError) as exc:
                fault = f"{type(exc).__name__}: {exc}"
            if not fault:
                return
        raise PlaceError(f"{self._url} does not take what is exported: {fault}")

    async def _try(self, body: bytes) -> str:
        """'' for taken, else why it may be tried again. Raises PlaceError for what may not."""
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=_SECONDS_MAX, connect=5)
            self._http = aiohttp.ClientSession(timeout=timeout)
        async with self._http.post(self._url, data=body, headers=self._headers) as response:
            said = await response.read()
        if response.status in _AGAIN:
            return f"HTTP {response.status}"
        if response.status != 200:
            raise PlaceError(f"{self._url} refuses what is exported: HTTP {response.status}")
        rejected = _rejected(said)
        if rejected:
            raise PlaceError(f"{self._url} refuses some of what is exported: {rejected}")
        return ""

    async def close(self) -> None:
        """See Sender."""
        if self._http is not None:
            await self._http.close()
            self._http = None


def _rejected(said: bytes) -> str:
    """Why a collector took a part only; '' when it took all."""
    try:
        partial = ExportLogsServiceResponse.FromString(said).partial_success
    except DecodeError:
        return "its answer cannot be read"
    if not partial.rejected_log_records:
        return ""
    return f"{partial.rejected_log_records} records: {partial.error_message or 'it does not say why'}"


class SyslogSender:
    """`syslog+udp://`, `syslog+tcp://` (octet counting, RFC 6587) or `syslog+tls://HOST:PORT` (RFC 5425).

    Syslog acknowledges nothing: what is sent has been taken by the other side's system, at best.
    """

    def __init__(self, url: str, ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        if not parts.hostname or not parts.port:
            raise ValueError(f"{url} must name a host and a port")
        self._url, self._host, self._port = url, parts.hostname, parts.port
        self._kind = parts.scheme.removeprefix("syslog+")
        self._tls = ssl.create_default_context(cafile=ca_file) if self._kind == "tls" else None
        self._writer: asyncio.StreamWriter | None = None
        self._socket: socket.socket | None = None

    async def send(self, events: Sequence[Event]) -> None:
        """See Sender."""
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                await self._send([syslog(event) for event in events])
        except (OSError, TimeoutError) as exc:
            await self.close()
            raise PlaceError(
                f"{self._url} does not take what is exported: {exc or type(exc).__name__}"
            ) from exc

    async def _send(self, texts: Sequence[bytes]) -> None:
        if self._kind == "udp":
            self._send_datagrams(texts)
            return
        if self._writer is None:
            _, self._writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        for text in texts:
            self._writer.write(b"%d %s" % (len(text), text))
        await self._writer.drain()

    def _send_datagrams(self, texts: Sequence[bytes]) -> None:
        if self._socket is None:
            family = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0][0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
        for text in texts:
            self._socket.sendto(text, (self._host, self._port))

    async def close(self) -> None:
        """See Sender: what was written is on its way first."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            try:
                async with asyncio.timeout(5):
                    await writer.wait_closed()
            except (OSError, TimeoutError):
                pass  # the other side is gone: what it has not taken was told by `send`
        if self._socket is not None:
            self._socket.close()
            self._socket = None
