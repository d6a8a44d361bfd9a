"""Which end of a text could be the beginning of a secret: the first half must not pass before the second has come.

Held back is as little as keeps that promise. What tells a secret mostly stands before it (a name, a prefix, the first
line of a private key) and may pass; held back are the word that has not ended, the line that names a secret, a
private key, and the data of what may turn out as a Kubernetes Secret once its `kind` comes.
"""

import re

from gateway.frames.halves import KEY_BEGINS, KEY_BYTES_MAX, KEY_ENDS, half_character
from gateway.kubernetes import terminal_documents as documents

WORD_MIN = 4
"""A shorter word at the end passes: what is typed or drawn sign by sign must not wait."""

LINE_MAX = 16 * 1024
"""Of a line that does not end so much is looked at: no token is longer, and a line of base64 must keep its rate."""

VALUE_MAX = 8 * 1024
"""A value does not end so far behind its name."""

_ESCAPE_MAX = 32
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[^\[])")
_HALF_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?]*)?\Z")
_DRAWS_NOTHING = (b"m", b"K", b"h", b"l")
_BETWEEN_WORDS = (b" ", b"\t", b"\n", b"\r", b"\0")
_TELLING = (
    b"pass pasw pssw pwd psw pw secret token cred key auth sig sid seed salt nonce cookie sess"
    b" license licence access private otp jwt cipher _pat bearer basic"
).split()


def held_from(text: bytes, floor: int) -> int:
    """The offset, `floor` at least, from which `text` is held back; its length for nothing.

    Before `floor` stands what has passed already.
    """
    size = len(text)
    line = max(text.rfind(b"\n", 0, size) + 1, size - LINE_MAX)
    places = [size, _word(text, line), half_character(text)]
    places.append(_telling(text, max(line, size - VALUE_MAX)))
    key = open_key(text)
    if key >= 0:
        places.append(key)
    document = documents.undecided(text)
    if document >= 0:
        places.append(document)
    return max(floor, min(places))


def _telling(text: bytes, start: int) -> int:
    """Where the first name stands that tells of a secret."""
    line = text[start:].lower()
    found = [place for place in map(line.find, _TELLING) if place >= 0]
    return start + min(found) if found else len(text)


def open_key(text: bytes) -> int:
    """Where a private key begins that has not ended; -1 for none."""
    begin = text.rfind(b"-----BEGIN ")
    if begin < 0 or len(text) - begin > KEY_BYTES_MAX or text.find(KEY_ENDS, begin) >= 0:
        return -1
    return begin if KEY_BEGINS.match(text, begin) else -1


def word_from(text: bytes) -> int:
    """Where the word begins that `text` ends in; its length where that is too short to say something."""
    return _word(text, max(text.rfind(b"\n") + 1, len(text) - LINE_MAX))


def _word(text: bytes, line: int) -> int:
    """Where the word begins that has not ended, if it is long enough to say something."""
    half = _HALF_ESCAPE.search(text, max(line, len(text) - _ESCAPE_MAX))
    if half:
        return _word(text[: half.start()], line)
    start = 1 + max(text.rfind(sign, line) for sign in _BETWEEN_WORDS)
    start = max(start, line)
    for escape in _ESCAPE.finditer(text, start):
        if escape.group()[-1:] not in _DRAWS_NOTHING:
            start = escape.end()
    shown = _ESCAPE.sub(b"", text[start:])
    return start if len(shown) >= WORD_MIN else len(text)
