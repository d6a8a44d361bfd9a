"""The deep pass: a secret that one frame of a session gave away is known again in the others, without being kept.

Frames are recorded masked, so nobody has the secret any more; but a pseudonym is a keyed digest of it. Whatever
looks like a value in a later frame is digested the same way, as it stands and undone (base64, hex, percent-encoding,
reversed, cut in two), and compared with the digests of the session. What matches was let through by the inline pass:
it is masked here, and the rule of the finding says how it was hidden.

Digests are 24 bits, so a value is only tried if it is long and odd enough for a secret: with a hundred known secrets
one frame in some thousands has a chance match, which masks a random-looking word too much and nothing too little.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from urllib.parse import unquote

from masking.filters import odd
from masking.found import Found, outermost
from masking.masker import Masker
from masking.pseudonym import PSEUDONYM, digest
from masking.records import Masked, T

LEAST = 8
"""Characters of a value that is tried."""

KNOWN_MAX = 1000
"""Digests of one session that are held; the oldest give way."""

_WORD = re.compile(r"""[^\s"'`<>,;(){}\[\]\\]{8,4096}""")
_PART = re.compile(r"[^=:/@?&#|]{8,}")
_JOINT = re.compile(r"""["'`]?\s{0,8}(?:[+.,|&]|\\n)?\s{0,40}["'`]?""")


def known_in(text: str) -> tuple[str, ...]:
    """The digests of the pseudonyms in a masked text, in order and once each."""
    return tuple(dict.fromkeys(match.group()[-7:-1] for match in PSEUDONYM.finditer(text)))


def remembered(before: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The digests a session knows after this frame: pure, so that a replay gives the same."""
    return tuple(dict.fromkeys((*before, *known_in(text))))[-KNOWN_MAX:]


def mask_again(masker: Masker, text: T, known: tuple[str, ...]) -> Masked[T]:
    """The inline pass once more, then every value whose digest the session knows. Rules: `returned:<how>`.

    Raises MaskingError as `Masker.mask` does.
    """
    return masker.mask_with(text, lambda view: _returned(masker.key, view, frozenset(known)))


def _returned(key: bytes, view: str, known: frozenset[str]) -> list[Found]:
    return outermost(list(_found(key, view, known))) if known else []


def _found(key: bytes, view: str, known: frozenset[str]) -> Iterator[Found]:
    for start, end in _values(view):
        value = view[start:end]
        if PSEUDONYM.search(value):
            continue
        for how, plain in _undone(value):
            if odd(plain) and digest(key, plain) in known:
                yield Found(start, end, f"returned:{how}", "returned", plain)
                break
    yield from _split(key, view, known)


def _values(view: str) -> Iterator[tuple[int, int]]:
    """Words, and the parts of words between signs that separate a name from its value."""
    for match in _WORD.finditer(view):
        yield match.span()
        for part in _PART.finditer(match.group()):
            if part.end() - part.start() < match.end() - match.start():
                yield match.start() + part.start(), match.start() + part.end()


def _undone(value: str) -> Iterator[tuple[str, str]]:
    """(how it was hidden, what it stands for)."""
    yield "plain", value
    yield "reversed", value[::-1]
    for how, undo in _CODES:
        plain = undo(value)
        if len(plain) >= LEAST and plain != value:
            yield how, plain


def _split(key: bytes, view: str, known: frozenset[str]) -> Iterator[Found]:
    """Two words beside each other that make one value: over a line, or as a program would join them."""
    halves = [match.span() for match in re.finditer(r"""[^\s"'`<>,;(){}\[\]\\+]{3,200}""", view)]
    for (start, middle), (begin, end) in pairwise(halves):
        gap = view[middle:begin]
        if len(gap) <= 60 and _JOINT.fullmatch(gap):
            joined = view[start:middle] + view[begin:end]
            if len(joined) >= LEAST and odd(joined) and digest(key, joined) in known:
                yield Found(start, end, "returned:split", "returned", joined)


def _from_base64(value: str) -> str:
    try:
        padded = value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4)
        return base64.b64decode(
            padded, altchars=b"-_" if "-" in value or "_" in value else None, validate=True
        ).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def _from_hex(value: str) -> str:
    try:
        return bytes.fromhex(value).decode("latin-1")
    except ValueError:
        return ""


_CODES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("base64", _from_base64),
    ("hex", _from_hex),
    ("percent", lambda value: unquote(value, "latin-1") if "%" in value else ""),
)
