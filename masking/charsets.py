"""What a body is written in. UTF-8, ASCII and the one-byte encodings share the bytes that rules look for;
wide encodings do not, and are told by their byte order mark or by their zero bytes, whatever a header
says.
"""

from __future__ import annotations

import codecs
import json

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD = 64


def foreign(raw: bytes) -> str:
    """The codec of a body in a wide encoding, or "" for all others."""
    if raw[:1] in (b"\xff", b"\xfe", b"\x00") or b"\x00" in raw[:_HEAD]:
        for mark, codec in _MARKS:
            if raw.startswith(mark):
                return codec
        return _by_zeros(raw[:_HEAD])
    return ""


def _by_zeros(head: bytes) -> str:
    """ASCII text in a wide encoding has its zero bytes in the same places throughout."""
    even, odd = head[0::2], head[1::2]
    if len(head) >= 8 and head[0:3] == b"\0\0\0" and head[4:7] == b"\0\0\0":
        return "utf-32-be"
    if len(head) >= 8 and head[1:4] == b"\0\0\0" and head[5:8] == b"\0\0\0":
        return "utf-32-le"
    if even.count(0) > len(even) * 0.6 and odd.count(0) == 0:
        return "utf-16-be"
    if odd.count(0) > len(odd) * 0.6 and even.count(0) == 0:
        return "utf-16-le"
    return ""


def unreadable(text: str | bytes, view: str) -> str:
    """Why this body cannot be read as UTF-8, or as the JSON it begins like; "" if it can."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        plain = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "the body is not UTF-8"
    if "\x00" in plain:
        return "the body has zero bytes"
    if view.lstrip("\xef\xbb\xbf \t\r\n")[:1] == "{":
        try:
            json.loads(plain)
        except (ValueError, RecursionError):
            return "the body begins like JSON and cannot be parsed as it"
    return ""
