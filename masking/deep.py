"""The deep pass: a secret that one frame of a session gave away is known again in the others, without being kept.

Frames are recorded masked, so nobody has the secret any more; but a pseudonym is a keyed digest of it. Whatever
looks like a value in a later frame is digested the same way, as it stands and undone (`masking.undone`: base64,
base32, hex, percent-encoding, reversed, rot13, two of them together, cut in pieces), and compared with the digests
of the session. What matches was let through by the inline pass: it is masked here, and the rule of the finding says
how it was hidden.

Digests are 24 bits, so a value is only tried if it is long and odd enough for a secret: with a hundred known secrets
one frame in some hundreds has a chance match, which masks a random-looking word too much and nothing too little.
"""

from __future__ import annotations

import hmac
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from masking.filters import odd
from masking.found import Found, outermost, quoted
from masking.masker import Masker
from masking.paths import locate
from masking.profiles import Profile, resolve
from masking.pseudonym import WRITTEN, digests_in
from masking.records import Masked, T
from masking.undone import LEAST, undone

KNOWN_MAX = 256
"""Digests of one session that are compared with; the oldest give way."""

TRIES_MAX = 50_000
"""Values of one text that are digested, about half a second. What stands behind them is not compared."""

KEPT_MAX, KEPT_CHARS = 20_000, 40
"""Values whose digests are kept in memory, and how long they may be: a few megabytes."""

PIECES_MAX = 4
"""Words beside each other that are tried as one value."""

_WORD = re.compile(r"""[^\s"'`<>,;(){}\[\]\\]{8,4096}""")
_PART = re.compile(r"[^=:/@?&#|]{8,}")
_PIECE = re.compile(r"""[^\s"'`<>,;(){}\[\]\\+]{3,200}""")
_JOINT = re.compile(r"""["'`]?\s{0,8}(?:[+.,|&]|\\n)?\s{0,40}["'`]?""")
_JOINT_MAX = 60


class Detector(Protocol):
    """A dear detector that only the deep pass runs: names and addresses, for instance."""

    def __call__(self, view: str) -> list[Found]:
        """What it finds in a view."""
        ...


def known_in(text: str) -> tuple[str, ...]:
    """The digests of the pseudonyms in a masked text, in order and once each."""
    return tuple(dict.fromkeys(digests_in(text)))


def remembered(before: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The digests a session knows after this frame: pure, so that a replay gives the same."""
    return tuple(dict.fromkeys((*before, *known_in(text))))[-KNOWN_MAX:]


class Signs:
    """Digests under one key, of values and of what they may stand for. Remembers short values: protocols repeat."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")
        self._kept: dict[str, tuple[bytes, ...]] = {}

    def one(self, plain: str) -> bytes:
        """The digest of a value: three bytes, as its pseudonym shows them in hex."""
        keyed = self._keyed.copy()
        keyed.update(plain.encode("latin-1"))
        return keyed.digest()[:3]

    def of(self, value: str) -> tuple[bytes, ...]:
        """The digests of all that a value may stand for."""
        signs = self._kept.get(value)
        if signs is None:
            signs = tuple(self.one(plain) for _, plain in undone(value))
            if len(value) <= KEPT_CHARS:
                if len(self._kept) >= KEPT_MAX:
                    self._kept.clear()
                self._kept[value] = signs
        return signs


def mask_again(masker: Masker, text: T, known: Collection[str]) -> Masked[T]:
    """The inline pass once more, then every value whose digest the session knows. Rules: `returned:<how>`.

    Raises MaskingError as `Masker.mask` does.
    """
    signs = Signs(masker.key)
    return masker.mask_with(text, lambda view: _returned(signs, view, known))


class DeepMasker:
    """The deep pass of one profile: what the inline pass leaves in peace by default too, the dear detectors,
    and what returns.

    A body that cannot be read is masked as text and never refused: the inline pass has decided about that.
    Raises ValueError for an unknown profile or a key under 16 bytes.
    """

    def __init__(self, key: bytes, profile: str | Profile, detectors: Iterable[Detector] = ()) -> None:
        inline = resolve(profile)
        self.leave = inline.leave
        """Rules whose findings the inline pass leaves on purpose: their secrets are not late."""
        leave = frozenset() if inline.leave == Profile("").leave else inline.leave  # what was asked for stays
        self._masker = Masker(key, replace(inline, strict=False, leave=leave))
        self._detectors = tuple(detectors) if inline.pii else ()
        self._signs = Signs(key)

    def mask(self, text: T, known: Collection[str] = ()) -> Masked[T]:
        """`text` masked deeper; `known` are the digests of the session. Raises MaskingError."""
        if not (known or self._detectors):
            return self._masker.mask(text)
        return self._masker.mask_with(text, lambda view: self._more(view, known))

    def _more(self, view: str, known: Collection[str]) -> list[Found]:
        found = _returned(self._signs, view, known)
        for detect in self._detectors:
            found += detect(view)
        return _placed(view, outermost(found)) if found else found


def _placed(view: str, found: list[Found]) -> list[Found]:
    """With their paths; without what touches a pseudonym, so that masking twice changes nothing."""
    masked = [match.span() for match in WRITTEN.finditer(view)]
    ends = [end for _, end in masked]

    def clear(item: Found) -> bool:
        index = bisect_right(ends, item.start)
        return index == len(masked) or masked[index][0] >= item.end

    kept = [item for item in found if clear(item)]
    paths = locate(view, [item.start for item in kept])
    return [quoted(view, item, path) for item, path in zip(kept, paths, strict=True)]


def _returned(signs: Signs, view: str, known: Collection[str]) -> list[Found]:
    return outermost(list(_found(_Tries(signs, known), view))) if known else []


class _Tries:
    """Compares values with what is known, as often as the budget of one text allows."""

    def __init__(self, signs: Signs, known: Collection[str]) -> None:
        self._signs = signs
        self._known = frozenset(map(bytes.fromhex, known))
        self._seen: dict[str, tuple[str, str] | None] = {}
        self.left = TRIES_MAX

    def hidden(self, value: str) -> tuple[str, str] | None:
        """How this value hides one that the session knows, and that one."""
        if value not in self._seen:  # texts repeat their words
            signs = self._signs.of(value)
            self.left -= len(signs)
            self._seen[value] = None if self._known.isdisjoint(signs) else self._which(value)
        return self._seen[value]

    def _which(self, value: str) -> tuple[str, str] | None:
        pairs = (pair for pair in undone(value) if self._knows(pair[1]))
        return next(pairs, None)

    def _knows(self, plain: str) -> bool:
        return odd(plain) and self._signs.one(plain) in self._known

    def joined(self, value: str) -> bool:
        """Whether pieces put together make a value that the session knows."""
        if value not in self._seen:
            self.left -= 1
            self._seen[value] = ("split", value) if self._knows(value) else None
        return self._seen[value] is not None


def _found(tries: _Tries, view: str) -> Iterator[Found]:
    masked = [match.span() for match in WRITTEN.finditer(view)]
    for start, end in _values(view):
        if tries.left <= 0:
            return
        value = view[start:end]
        if masked and WRITTEN.search(value):
            continue
        if hidden := tries.hidden(value):
            how, plain = hidden
            yield Found(start, end, f"returned:{how}", "returned", plain)
    yield from _split(tries, view)


def _values(view: str) -> Iterator[tuple[int, int]]:
    """Words, and the parts of words between signs that separate a name from its value."""
    for match in _WORD.finditer(view):
        yield match.span()
        for part in _PART.finditer(match.group()):
            if part.end() - part.start() < match.end() - match.start():
                yield match.start() + part.start(), match.start() + part.end()


def _split(tries: _Tries, view: str) -> Iterator[Found]:
    """Words beside each other that make one value: over lines, or as a program would join them."""
    joins: Callable[[str], object] = _JOINT.fullmatch
    run: list[tuple[int, int]] = []
    for match in _PIECE.finditer(view):
        start, end = match.span()
        if run and not (start - run[-1][1] <= _JOINT_MAX and joins(view[run[-1][1] : start])):
            run = []
        run = [*run[1 - PIECES_MAX :], (start, end)]
        for first in range(len(run) - 1):
            joined = "".join(view[begin:stop] for begin, stop in run[first:])
            if len(joined) >= LEAST and tries.joined(joined):
                yield Found(run[first][0], end, "returned:split", "returned", joined)
        if tries.left <= 0:
            return
