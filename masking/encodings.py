"""Base64 runs: which of them hold text or a compressed text, within limits."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

INFLATED_MAX = 16 * 1024 * 1024
"""Bytes that one run may inflate to. What is larger is taken for a secret when the profile is strict."""

_QUAD = "[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/]"
RUN_TRIGGER = rf"(?:(?:{_QUAD}){{5}}|H4sI[A-Za-z0-9+/]{{16}}|eJ[w-z][A-Za-z0-9+/]{{20}})"
"""What base64 of fifteen ASCII characters looks like, or of a gzip or zlib header: the high bit of each byte is clear,
which leaves each place in a group of four only part of the alphabet. Digests and other random runs do not match."""
_RUN = re.compile(
    r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{60,76}\r?\n[ \t]{0,16})*+[A-Za-z0-9+/]{16,}+={0,2}(?![A-Za-z0-9+/])"
)
_HEX = re.compile(r"[0-9a-fA-F]+|[a-z/]+|[A-Z/]+|[a-zA-Z/]{0,40}")
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]{12,}")
_SPACE = re.compile(r"\s+")


class Run(NamedTuple):
    """A base64 run [start, end) and the view it stands for."""

    start: int
    end: int
    view: str


def runs(view: str) -> Iterator[Run]:
    """The base64 runs of this view that decode to text, plain or compressed."""
    for match in _RUN.finditer(view):
        text = match.group()
        if len(text) < 20 or _HEX.fullmatch(text):
            continue
        plain = decoded(text)
        if plain is not None:
            yield Run(match.start(), match.end(), plain)


def decoded(text: str) -> str | None:
    """The view behind a base64 text, or None if it is not base64 of a text."""
    joined = _SPACE.sub("", text) if "\n" in text else text
    try:
        raw = base64.b64decode(joined.rstrip("=") + "=" * (-len(joined.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if raw[:2] == b"\x1f\x8b" or raw[:2] in (b"x\x9c", b"x\x01", b"x\xda"):
        raw = inflated(raw)
    head = raw[:64]
    return raw.decode("latin-1") if head and _TEXT.match(head) else None


def inflated(raw: bytes) -> bytes:
    """Gzip or zlib content up to INFLATED_MAX; b"" if it is damaged from the start."""
    engine = zlib.decompressobj(wbits=47)
    try:
        return engine.decompress(raw, INFLATED_MAX)
    except zlib.error:
        return b""
