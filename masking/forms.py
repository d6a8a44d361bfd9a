"""What stands in the place of a secret: its pseudonym, or by rule a fixed text, or the pseudonym between a few of its
own characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from masking.pseudonym import in_base64, is_base64

KEPT_MAX = 8
"""Characters of a secret that may stay, at its two ends together."""

KEPT_SHARE = 4
"""One in so many of its characters may stay at most; of a shorter secret nothing does."""

_TEXT = re.compile(r"[A-Za-z0-9*#_.<>()-]{1,64}")
_PLAIN = re.compile(r"[A-Za-z0-9._@+=/-]*")


class Form(NamedTuple):
    """`text` instead of a pseudonym; or the pseudonym behind the `first` and before the `last` characters; or, of a
    value in base64, the pseudonym in base64 (`encoded`)."""

    text: str = ""
    first: int = 0
    last: int = 0
    encoded: bool = False

    def write(self, raw: str, pseudonym: str) -> str:
        """What is written for the secret that stands as `raw`. Only plain characters stay: half an escape would break
        the text.
        """
        if self.text:
            return self.text
        if self.encoded:
            return in_base64(pseudonym) if is_base64(raw) else pseudonym
        first, last = raw[: self.first], raw[len(raw) - self.last :]
        if KEPT_SHARE * (self.first + self.last) > len(raw) or not _PLAIN.fullmatch(first + last):
            return pseudonym
        return first + pseudonym + last


WHERE_CLIENTS_DECODE = (("kubernetes-secret", Form(encoded=True)),)
"""For clients of Kubernetes: they decode the `data` of a Secret, and fail at what is no base64."""


def form_from(entry: Mapping[str, Any]) -> Form | None:
    """The form that `replacement`, `keep_first` and `keep_last` describe, None for the pseudonym alone.

    Raises ValueError that says what to write instead.
    """
    text, first, last = entry.get("replacement", ""), entry.get("keep_first", 0), entry.get("keep_last", 0)
    if not text and not first and not last:
        return None
    if text and (first or last):
        raise ValueError("has a `replacement` and keeps characters too: remove one of both")
    if text and not (isinstance(text, str) and _TEXT.fullmatch(text)):
        raise ValueError("its `replacement` must be 1 to 64 of the characters A-Z a-z 0-9 * # _ . < > ( ) -")
    if not all(type(count) is int and count >= 0 for count in (first, last)) or first + last > KEPT_MAX:
        raise ValueError(f"`keep_first` and `keep_last` are numbers, together at most {KEPT_MAX}")
    return Form(str(text), first, last)
