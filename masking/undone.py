"""What a value may stand for: it was hidden by a code, reversed, or by two of these together."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

LEAST = 8
"""Characters of a value that is tried."""

_PLAIN = re.compile(r"[\x20-\x7e\x80-\xff]{8,}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,}|(?:[0-9A-F]{2}){8,}")
_BASE32 = re.compile(r"(?:[A-Z2-7]{13,}|[a-z2-7]{13,})=*")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{11,}|[A-Za-z0-9_-]{11,})={0,2}")


def undone(value: str) -> Iterator[tuple[str, str]]:
    """(how it was hidden, what it stands for): as it is first, then one code undone, then two."""
    yield "plain", value
    once = [(how, plain) for how, undo in _CODES if (plain := undo(value))]
    yield from once
    for how, plain in once:
        yield from (
            (f"{how}-{then}", twice)
            for then, undo in _CODES
            if (twice := undo(plain)) and twice != value and (how, then) not in _IDLE
        )


def _reversed(value: str) -> str:
    return value[::-1]


def _rot13(value: str) -> str:
    turned = codecs.encode(value, "rot13")
    return turned if turned != value else ""


def _from_base64(value: str) -> str:
    if not _BASE64.fullmatch(value):
        return ""
    bare = value.rstrip("=").replace("-", "+").replace("_", "/")
    return _text(lambda: binascii.a2b_base64(bare + "=" * (-len(bare) % 4)))


def _from_base32(value: str) -> str:
    if not _BASE32.fullmatch(value):
        return ""
    bare = value.rstrip("=").upper()
    return _text(lambda: base64.b32decode(bare + "=" * (-len(bare) % 8)))


def _from_hex(value: str) -> str:
    return _text(lambda: bytes.fromhex(value)) if _HEX.fullmatch(value) else ""


def _from_percent(value: str) -> str:
    return unquote(value, "latin-1") if "%" in value else ""


def _text(decode: Callable[[], bytes]) -> str:
    """The view of what `decode` gives; "" for what is no code, or no text."""
    try:
        plain = decode().decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
    return plain if _PLAIN.fullmatch(plain) else ""


_CODES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("reversed", _reversed),
    ("base64", _from_base64),
    ("hex", _from_hex),
    ("percent", _from_percent),
    ("base32", _from_base32),
    ("rot13", _rot13),
)

_IDLE = frozenset(
    {("reversed", "rot13"), ("rot13", "reversed"), ("reversed", "reversed"), ("rot13", "rot13")}
)
"""Pairs that undo each other, and those of two codes without an alphabet of their own: they would be tried on
every word."""
