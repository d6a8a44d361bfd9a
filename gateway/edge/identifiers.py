"""UUIDv7 ids and salts: time-ordered ids, so that rows of one time lie together. Source: RFC 9562, 5.7."""

import os
import time


class Entropy:
    """Random bytes from the system, fetched a few kilobytes at a time: a system call a frame costs more."""

    def __init__(self, block_bytes: int = 8192) -> None:
        self._block_bytes = block_bytes
        self._block = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        """`count` fresh random bytes; none is ever given twice."""
        if self._used + count > len(self._block):
            self._block = os.urandom(max(self._block_bytes, count))
            self._used = 0
        start, self._used = self._used, self._used + count
        return self._block[start : self._used]

    def uuid7(self) -> str:
        """A new UUID of version 7 as text: 48 bits of Unix milliseconds, 74 random bits."""
        stamp = time.time_ns() // 1_000_000
        random = int.from_bytes(self.take(10), "big")
        number = (
            (stamp & 0xFFFF_FFFF_FFFF) << 80
            | 0x7 << 76
            | (random >> 68 & 0xFFF) << 64
            | 0x2 << 62
            | random & 0x3FFF_FFFF_FFFF_FFFF
        )
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
