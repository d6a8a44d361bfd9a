"""A peer that speaks SPDY/3.1: writes frames as the specification says."""

import zlib

from gateway.kubernetes.spdy_dictionary import DICTIONARY


class Peer:
    """One side. Header blocks go through one compressor, as they must."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream: int, *, kind: str = "data", port: str = "8080", **more: str) -> bytes:
        """SYN_STREAM."""
        block = self.block({"streamtype": kind, "port": port, "requestid": "0", **more})
        return control(1, stream.to_bytes(4, "big") + bytes(6) + block)

    def reply(self, stream: int) -> bytes:
        """SYN_REPLY without headers."""
        return control(2, stream.to_bytes(4, "big") + self.block({}))

    def block(self, pairs: dict[str, str]) -> bytes:
        """A compressed header block."""
        plain = len(pairs).to_bytes(4, "big")
        for pair in pairs.items():
            for text in pair:
                plain += len(text).to_bytes(4, "big") + text.encode()
        return self.deflated(plain)

    def deflated(self, plain: bytes) -> bytes:
        """Anything, as a header block."""
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def control(kind: int, payload: bytes, flags: int = 0) -> bytes:
    """A control frame."""
    return b"\x80\x03" + kind.to_bytes(2, "big") + bytes((flags,)) + len(payload).to_bytes(3, "big") + payload


def data(stream: int, payload: bytes, *, fin: bool = False) -> bytes:
    """A data frame."""
    return stream.to_bytes(4, "big") + bytes((int(fin),)) + len(payload).to_bytes(3, "big") + payload
