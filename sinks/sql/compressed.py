"""Bytes as clients ask for them compressed: HTTP's codings, and ClickHouse's own blocks of LZ4 (`compress=1`)."""

import gzip
import struct
import zlib

import lz4.block
import lz4.frame

from sinks.sql.cityhash import city_hash_128

_BLOCK = 1 << 20
_LZ4 = 0x82
BYTES_MAX = 1024 * 1024


class CodingError(ValueError):
    """The body cannot be unpacked. The message says why."""


def accepted(encodings: str) -> str:
    """The coding to answer in, of those in Accept-Encoding: lz4 or gzip; '' for as it is."""
    offered = {part.partition(";")[0].strip().lower() for part in encodings.split(",") if "q=0" not in part}
    return next((coding for coding in ("lz4", "gzip") if coding in offered), "")


def packed(body: bytes, coding: str) -> bytes:
    """`body` in an HTTP coding of `accepted`."""
    if coding == "lz4":
        return bytes(lz4.frame.compress(body))
    return gzip.compress(body, compresslevel=5) if coding == "gzip" else body


def unpacked(body: bytes, coding: str) -> bytes:
    """A request's body as it was before Content-Encoding; at most BYTES_MAX. Raises CodingError."""
    try:
        if coding in ("", "identity"):
            return body
        if coding in ("gzip", "deflate"):
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            found: bytes = unpacker.decompress(body, BYTES_MAX)
            if unpacker.unconsumed_tail:
                raise CodingError("the statement is too long")
            return found
        if coding == "lz4":
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(body, BYTES_MAX))
    except (zlib.error, RuntimeError) as exc:
        raise CodingError(f"the body is no {coding}: {exc}") from exc
    raise CodingError(f"Content-Encoding {coding} is not read here; gzip, deflate and lz4 are")


def blocks(body: bytes) -> bytes:
    """`body` as ClickHouse's compressed blocks, each with its checksum.

    Source: ClickHouse, src/Compression/CompressedWriteBuffer.cpp: CityHash128, method, sizes, data.
    """
    return b"".join(_block(body[at : at + _BLOCK]) for at in range(0, len(body), _BLOCK))


def _block(piece: bytes) -> bytes:
    data = bytes(lz4.block.compress(piece, store_size=False))
    whole = struct.pack("<BII", _LZ4, len(data) + 9, len(piece)) + data
    return struct.pack("<QQ", *city_hash_128(whole)) + whole
