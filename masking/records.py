"""What masking gives back: the masked text, and one redaction for each literal that was replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", str, bytes)


class MaskingError(Exception):
    """A text could not be masked. Its cause is in the message, its content never is.

    MaskingError
    ├── Unreadable      the body cannot be decoded or parsed, and the profile asks for that
    └── LimitCrossed    a limit on size, depth or decompression was reached
    """


class Unreadable(MaskingError):  # noqa: N818 - reads as what happened
    """The body cannot be decoded or parsed where the profile demands it (profile `strict`)."""


class LimitCrossed(MaskingError):  # noqa: N818 - reads as what happened
    """The body goes past a limit of size, nesting or decompression."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """One replaced literal.

    `start` and `end` are offsets into the *input*, half open: characters for `str`, bytes for `bytes`.
    `path` is where a structured text holds it (`$.items[0].data.token`), or "" where there is no structure.
    `written` is what stands in its place, where that is not the pseudonym alone.
    """

    rule: str
    path: str
    start: int
    end: int
    pseudonym: str
    written: str = ""


@dataclass(frozen=True, slots=True)
class Masked(Generic[T]):
    """A masked text, of the same type as the input, and its redactions in the order of their start."""

    text: T
    redactions: tuple[Redaction, ...] = ()
