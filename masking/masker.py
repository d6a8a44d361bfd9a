"""The masker: a key, a profile and a finder, applied to texts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import lru_cache

from masking.charsets import foreign, unreadable
from masking.finder import Finder
from masking.found import Found, outermost
from masking.profiles import Profile, resolve
from masking.pseudonym import pseudonym
from masking.records import Masked, Redaction, T, Unreadable
from masking.rules import built_in
from masking.work import Work


@lru_cache(maxsize=2)
def built_in_finder(pii: bool = False) -> Finder:
    """The finder of the rules that come with Sluicegate: compiled at the first call, about a second."""
    return Finder(built_in(pii))


class Masker:
    """Masks texts for one deployment: `key` (16 bytes or more) makes its pseudonyms. Safe to share by
    threads.

    Rules of the profile are compiled with the built-in ones. Make it at start, not for each text.
    """

    def __init__(self, key: bytes, profile: str | Profile = "secrets") -> None:
        if len(key) < 16:
            raise ValueError("the masking key is too short: give at least 16 random bytes")
        self.key = key
        self.profile = resolve(profile)
        self._forms = self.profile.forms_by_rule()
        extra = self.profile.rules
        pii = self.profile.pii
        self.finder = Finder(built_in(pii) + extra) if extra else built_in_finder(pii)

    def mask(self, text: T) -> Masked[T]:
        """`text` with each secret replaced by its pseudonym; what is not a secret stays byte for byte.

        Raises MaskingError where the text cannot be masked safely: the caller must then withhold it.
        """
        return self.mask_with(text)

    def mask_with(self, text: T, more: Callable[[str], list[Found]] | None = None) -> Masked[T]:
        """As `mask`, and what `more` finds in the view of the text."""
        if not self.profile.enabled:
            return Masked(text)
        if isinstance(text, bytes):
            codec = foreign(text)
            if codec:
                return self._in_codec(text, codec, more)
        view = _view(text)
        if self.profile.strict:
            _demand_readable(text, view)
        found = self.found(view)
        if more:
            found = outermost(found + more(view))
        return self._spliced(text, view, found) if found else Masked(text)

    def found(self, view: str) -> list[Found]:
        """What is to be replaced in a view (one character a byte)."""
        hits = self.finder.hits(view)
        return self.finder.find(view, hits, Work(self.profile, len(view))) if hits else []

    def _in_codec(self, raw: bytes, codec: str, more: Callable[[str], list[Found]] | None) -> Masked[bytes]:
        """Mask a body in a wide encoding; its redactions count in characters, since bytes would mean
        nothing.
        """
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            raise Unreadable(f"the body looks like {codec} and is not; nothing of it passes") from None
        masked = self.mask_with(text, more)
        return Masked(masked.text.encode(codec) if masked.redactions else raw, masked.redactions)

    def _spliced(self, text: T, view: str, found: list[Found]) -> Masked[T]:
        parts: list[str] = []
        redactions: list[Redaction] = []
        done = 0
        offsets = _Offsets(text, view)
        for item in found:
            name = pseudonym(self.key, item.kind, item.secret)
            form = self._forms.get(item.rule) if self._forms else None
            written = form.write(view[item.start : item.end], name) if form else name
            parts += (view[done : item.start], item.lead, written, item.trail)
            done = item.end
            start, end = offsets.at(item.start), offsets.at(item.end)
            shown = "" if written == name else written
            redactions.append(Redaction(item.rule, item.path, start, end, name, shown))
        parts.append(view[done:])
        return Masked(_unview("".join(parts), text), tuple(redactions))


def _demand_readable(text: str | bytes, view: str) -> None:
    reason = unreadable(text, view)
    if reason:
        raise Unreadable(f"{reason}; the profile lets only readable bodies pass")


def _view(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return text.decode("latin-1")
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def _unview(view: str, like: T) -> T:
    if isinstance(like, bytes):
        return view.encode("latin-1")
    return view if like.isascii() else view.encode("latin-1").decode("utf-8", "surrogatepass")


class _Offsets:
    """From ascending view offsets to offsets in the input, in one pass."""

    def __init__(self, text: str | bytes, view: str) -> None:
        self._view = None if isinstance(text, bytes) or len(text) == len(view) else view
        self._seen = self._characters = 0

    def at(self, offset: int) -> int:
        if self._view is None:
            return offset
        passed = self._view[self._seen : offset].encode("latin-1")
        self._characters += sum(byte & 0xC0 != 0x80 for byte in passed)
        self._seen = offset
        return self._characters


_PROCESS_KEY = secrets.token_bytes(32)


@lru_cache(maxsize=32)
def process_masker(profile: str | Profile) -> Masker:
    """The masker of this process: its key lives as long as the process does."""
    return Masker(_PROCESS_KEY, profile)


def mask(text: T, profile: str | Profile = "secrets") -> Masked[T]:
    """Mask with a key that lives as long as the process: its pseudonyms tell secrets apart in this
    process only.

    A deployment that follows a secret through its trail makes a `Masker` with its own key.
    """
    return process_masker(profile).mask(text)
