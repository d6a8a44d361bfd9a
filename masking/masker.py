"""The masker: a key, a profile and a finder, applied to texts."""

from __future__ import annotations

import secrets
from functools import lru_cache

from masking.finder import Finder
from masking.found import Found
from masking.profiles import Profile, resolve
from masking.pseudonym import pseudonym
from masking.records import Masked, Redaction, T
from masking.rules import built_in


@lru_cache(maxsize=1)
def _built_in_finder() -> Finder:
    return Finder(built_in())


class Masker:
    """Masks texts for one deployment: `key` (16 bytes or more) makes its pseudonyms. Safe to share by threads."""

    def __init__(
        self, key: bytes, profile: str | Profile = "secrets", *, finder: Finder | None = None
    ) -> None:
        if len(key) < 16:
            raise ValueError("the masking key is too short: give at least 16 random bytes")
        self._key = key
        self.profile = resolve(profile)
        self._finder = finder or _built_in_finder()

    def mask(self, text: T) -> Masked[T]:
        """`text` with each secret replaced by its pseudonym; what is not a secret stays byte for byte.

        Raises MaskingError where the text cannot be masked safely: the caller must then withhold it.
        """
        if not self.profile.enabled:
            return Masked(text)
        view = _view(text)
        leave = self.profile.leave
        found = [item for item in self._finder.find(view) if item.rule not in leave]
        return self._spliced(text, view, found) if found else Masked(text)

    def _spliced(self, text: T, view: str, found: list[Found]) -> Masked[T]:
        parts: list[str] = []
        redactions: list[Redaction] = []
        done = 0
        offset = _offsets(text, view)
        for item in found:
            name = pseudonym(self._key, item.kind, item.secret)
            parts += (view[done : item.start], item.lead, name, item.trail)
            done = item.end
            redactions.append(Redaction(item.rule, "", offset(item.start), offset(item.end), name))
        parts.append(view[done:])
        return Masked(_unview("".join(parts), text), tuple(redactions))


def _view(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return text.decode("latin-1")
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def _unview(view: str, like: T) -> T:
    if isinstance(like, bytes):
        return view.encode("latin-1")
    return view if like.isascii() else view.encode("latin-1").decode("utf-8", "surrogatepass")


class _offsets:  # noqa: N801 - reads as a function: offset = _offsets(text, view); offset(7)
    """From ascending view offsets to offsets in the input, in one pass."""

    def __init__(self, text: str | bytes, view: str) -> None:
        self._view = None if isinstance(text, bytes) or len(text) == len(view) else view
        self._seen = self._characters = 0

    def __call__(self, offset: int) -> int:
        if self._view is None:
            return offset
        passed = self._view[self._seen : offset].encode("latin-1")
        self._characters += sum(byte & 0xC0 != 0x80 for byte in passed)
        self._seen = offset
        return self._characters


_PROCESS_KEY = secrets.token_bytes(32)


@lru_cache(maxsize=32)
def _default(profile: str | Profile) -> Masker:
    return Masker(_PROCESS_KEY, profile)


def mask(text: T, profile: str | Profile = "secrets") -> Masked[T]:
    """Mask with a key that lives as long as the process: its pseudonyms tell secrets apart in this process only.

    A deployment that follows a secret through its trail makes a `Masker` with its own key.
    """
    return _default(profile).mask(text)
