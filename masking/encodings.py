"""Base64 runs: which of them hold text or a compressed text, within limits."""

from __future__ import annotations

import base64
import binascii
import re
import string
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from masking.work import Work

_QUAD = "[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/]"
RUN_TRIGGER = rf"(?:(?:{_QUAD}){{5}}|H4sI[A-Za-z0-9+/]{{16}}|eJ[w-z][A-Za-z0-9+/]{{20}})"
"""What base64 of fifteen ASCII characters looks like, or of a gzip or zlib header: the high bit of each
byte is clear, which leaves each place in a group of four only part of the alphabet. Digests and other
random runs do not match.
"""
_LINE = r"[A-Za-z0-9+/]{60,76}+(?![A-Za-z0-9+/])"
_NEXT = r"\r?\n[ \t]{0,16}"
_LAST = rf"{_NEXT}[A-Za-z0-9+/]{{1,75}}+={{0,2}}(?=[ \t\r]*(?:\n|$|[\"',}}\]]))"
_RUN = re.compile(
    rf"(?<![A-Za-z0-9+/])(?:{_LINE}(?:{_NEXT}{_LINE})*+(?:{_LAST}|={{0,2}})|[A-Za-z0-9+/]{{16,}}+={{0,2}})(?![A-Za-z0-9+/])"
)
"""One word, or lines of the same length and a shorter last one."""
_LEAST, _FIRST_LINE = 18, 60
"""Characters of a word that can be a run, without padding, and of one that can be the first of several lines."""
_BASE64 = string.ascii_letters.encode() + string.digits.encode() + b"+/"
_ONLY_BASE64 = bytes(byte if byte in _BASE64 else 0x20 for byte in range(256))
_HEX = re.compile(r"[0-9a-fA-F]+|[a-z/]+|[A-Z/]+|[a-zA-Z/]{0,40}")
_HEX_WORD = re.compile(_HEX.pattern.encode())
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]{12,}")
_SPACE = re.compile(r"\s+")


class Run(NamedTuple):
    """A base64 run [start, end) and the view it stands for."""

    start: int
    end: int
    view: str


def runs(view: str, begin: int, end: int, work: Work) -> Iterator[Run]:
    """The base64 runs between begin and end that decode to text, plain or compressed. Raises LimitCrossed."""
    for match in _long_words(view, begin, end):
        text = match.group()
        if len(text) < 20 or _HEX.fullmatch(text):
            continue
        plain = decoded(text, work)
        if plain is not None:
            yield Run(match.start(), match.end(), plain)


def _long_words(view: str, begin: int, end: int) -> Iterator[re.Match[str]]:
    """What `_RUN.finditer` yields, but asked only where a word is long enough: most of a text is short words."""
    words = view[begin:end].encode("latin-1").translate(_ONLY_BASE64).split()
    place = begin
    for word in [word for word in words if len(word) >= _LEAST]:
        if len(word) < _FIRST_LINE and _HEX_WORD.fullmatch(word):
            continue  # nothing that is none of these can be a part of it, so that the next is found behind it
        start = view.find(word.decode("latin-1"), place, end)
        if start >= place:
            match = _RUN.match(view, start, end)
            place = match.end() if match else start + len(word)
            if match:
                yield match


def decoded(text: str, work: Work) -> str | None:
    """The view behind a base64 text, or None if it is not base64 of a text. Raises LimitCrossed."""
    joined = _SPACE.sub("", text) if "\n" in text else text
    try:
        raw = base64.b64decode(joined.rstrip("=") + "=" * (-len(joined.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if raw[:2] in _COMPRESSED:
        raw = inflated(raw, work)
    head = raw[:64]
    return raw.decode("latin-1") if head and _TEXT.match(head) else None


_COMPRESSED = frozenset({b"\x1f\x8b", b"x\x9c", b"x\x01", b"x\xda"})


def inflated(raw: bytes, work: Work) -> bytes:
    """Gzip or zlib content, b"" if it is damaged from the start. Raises LimitCrossed on too much of it."""
    engine = zlib.decompressobj(wbits=47)
    try:
        plain = engine.decompress(raw, work.inflatable + 1)
    except zlib.error:
        return b""
    work.inflated(len(plain), whole=not engine.unconsumed_tail)
    return plain
