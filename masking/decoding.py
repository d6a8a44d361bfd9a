"""Content encodings on the way through: gzip, deflate, br, zstd. What comes out is masked and not encoded again."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Protocol

from masking.records import LimitCrossed, Unreadable
from masking.stream import StreamMasker


class _Inflater(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


def inflater(encoding: str) -> _Inflater:
    """What reads a Content-Encoding: gzip, deflate, br or zstd. Raises Unreadable for others."""
    name = encoding.strip().lower()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(name == "deflate")
    if name == "br":
        return _Optional("brotli", "Decompressor", "process", "error")
    if name == "zstd":
        return _Optional("backports.zstd", "ZstdDecompressor", "decompress", "ZstdError")
    raise Unreadable(f"content encoding {name!r} cannot be looked into; nothing of the body passes")


class _Zlib:
    """Gzip, and deflate in both its meanings: with the zlib header, as the standard says, and raw, as
    some send.
    """

    def __init__(self, deflate: bool) -> None:
        self._deflate = deflate
        self._engine = zlib.decompressobj(wbits=zlib.MAX_WBITS if deflate else zlib.MAX_WBITS | 16)
        self._begun = False

    def decompress(self, data: bytes, /) -> bytes:
        if self._deflate and not self._begun and data:
            self._begun = True
            if data[0] & 0x0F != 8:
                self._engine = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            return self._engine.decompress(data)
        except zlib.error as error:
            raise Unreadable(f"the compressed body is damaged: {error}") from None


class _Optional:
    """An encoding whose package is needed only where a server answers in it."""

    def __init__(self, module: str, decompressor: str, method: str, error: str) -> None:
        try:
            package = importlib.import_module(module)
        except ImportError:
            raise Unreadable(f"this content encoding needs the package {module}; nothing passes") from None
        self._error: type[Exception] = getattr(package, error)
        self._read: Callable[[bytes], bytes] = getattr(getattr(package, decompressor)(), method)

    def decompress(self, data: bytes, /) -> bytes:
        try:
            return self._read(data)
        except (self._error, EOFError):
            raise Unreadable("the compressed body is damaged, or goes on after its end") from None


class DecodingMasker:
    """A stream in a Content-Encoding: decoded, masked, and passed on without encoding (say so in the
    headers).

    `ratio_max` bounds decoded bytes to those received, above one megabyte.
    """

    def __init__(self, stream: StreamMasker, encoding: str, ratio_max: int = 200) -> None:
        self._stream, self._engine, self._ratio_max = stream, inflater(encoding), ratio_max
        self._received = self._decoded = 0

    def feed(self, piece: bytes) -> bytes:
        """What is masked and may pass now, decoded. Raises Unreadable, or LimitCrossed for a bomb."""
        parts = []
        for start in range(0, len(piece), 4096):
            data = self._engine.decompress(piece[start : start + 4096])
            self._received += len(piece[start : start + 4096])
            self._decoded += len(data)
            if self._decoded > 1_000_000 and self._decoded > self._ratio_max * self._received:
                raise LimitCrossed(
                    f"the body inflates more than {self._ratio_max} times; nothing more of it passes"
                )
            parts.append(self._stream.feed(data))
        return b"".join(parts)

    def close(self) -> bytes:
        """The rest, masked."""
        return self._stream.close()
