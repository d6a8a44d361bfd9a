"""What a caller says of a held call: why it is wanted, or that it cannot wait.

    Sluicegate-Reason: text          _meta["sluicegate/reason"]
    Sluicegate-Break-Glass: text     _meta["sluicegate/break-glass"]     go ahead at once; the text is the reason

The words are read by reviewers, so nothing stays in them that could disguise others on a screen.
"""

import unicodedata
from typing import Any

from gateway.effects import Request
from gateway.frames.headers import Headers
from gateway.frames.modern import decoded as header_text

REASON_HEADER = b"sluicegate-reason"
BREAK_GLASS_HEADER = b"sluicegate-break-glass"
OWN_HEADERS = frozenset({REASON_HEADER, BREAK_GLASS_HEADER})
"""They are for the gateway: none goes upstream."""

REASON_META = "sluicegate/reason"
BREAK_GLASS_META = "sluicegate/break-glass"
CHARACTERS_MAX = 500
_READ_MAX = 8 * CHARACTERS_MAX


def asked_for(request: Request, decoded: Any) -> tuple[str, bool]:
    """Why the call is wanted ('' when nothing is said), and whether it is to go ahead at once.

    `decoded`: the body as JSON. A header counts before the body. Glass is not broken without a word: an empty text
    asks for nothing.
    """
    meta = _meta(decoded)
    urgent = _said(request.headers, BREAK_GLASS_HEADER) or shown(meta.get(BREAK_GLASS_META))
    if urgent:
        return urgent, True
    return _said(request.headers, REASON_HEADER) or shown(meta.get(REASON_META)), False


def without_own(headers: Headers) -> Headers:
    """Without what is said to the gateway alone."""
    return [pair for pair in headers if pair[0] not in OWN_HEADERS]


def shown(text: object) -> str:
    """A text as it may be shown: one line of at most 500 characters, no control or formatting characters, among
    them those that turn the direction of writing; '' for what is no text."""
    if not isinstance(text, str):
        return ""
    kept = (" " if each.isspace() else each for each in text[:_READ_MAX] if _plain(each))
    return " ".join("".join(kept).split())[:CHARACTERS_MAX].rstrip()


def _plain(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] != "C"


def _said(headers: Headers, name: bytes) -> str:
    """The first of these headers that says anything."""
    return next((text for key, value in headers if key == name and (text := shown(_text(value)))), "")


def _text(value: bytes) -> str:
    """UTF-8 where it is that, as shells and libraries send it; also in the base64 form of MCP's headers."""
    if value.startswith(b"=?base64?"):
        return header_text(value) or ""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _meta(decoded: Any) -> dict[str, Any]:
    found = decoded
    for key in ("params", "_meta"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
