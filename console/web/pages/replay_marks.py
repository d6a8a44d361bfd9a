"""Redactions of a frame, put into its text where they stand, so that they are still marked after it was laid out.

A redaction tells bytes of the masked body. Laying out (decoding, parsing, indenting) moves everything; so marks are
put around the bytes first, as characters that come along. They hold a token of chance: a body cannot fake one.

The deep pass may have replaced more of a body afterwards, and what stands behind that is elsewhere now: a redaction
counts as placed where its pseudonym stands. One that left something else behind (a fixed text) is believed at its
offsets only while no other of the frame has moved.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex

from sinks.readers import Redaction

SOUGHT_MAX = 200  # redactions that are looked for elsewhere in a body: each look takes the whole of it
OPEN, CLOSE = "\ufdd0", "\ufdd1"  # noncharacters: no text is meant to hold them


@dataclass(frozen=True, slots=True)
class Mark:
    """A redaction, as it is explained. `number` from 1 within its frame; `placed`: it is marked in the body."""

    number: int
    path: str
    rule: str
    pseudonym: str
    placed: bool

    @property
    def where(self) -> str:
        """For a person."""
        names = {
            "http_headers": "in the header lines",
            "http_path": "in the path of the request",
            "": "in the text",
        }
        return names.get(self.path, self.path)

    @property
    def words(self) -> str:
        """What to search for to find the same secret elsewhere: its kind and digits."""
        return " ".join(re.findall(r"[A-Za-z0-9]+", self.pseudonym))


class Marker:
    """Marks one body. `marks` are all redactions of the frame; `text` is the body with marks around those placed."""

    def __init__(self, body: bytes, redactions: Sequence[Redaction]) -> None:
        token = token_hex(8)
        self._split = re.compile(f"{OPEN}{token}([0-9]+);|{CLOSE}{token};")
        self._opens, self._closes = OPEN + token, f"{CLOSE}{token};"
        places = _places(body, redactions)
        self.marks = [
            Mark(number, each["path"], each["rule"], each["pseudonym"], number in places)
            for number, each in enumerate(redactions, 1)
        ]
        self.bare = body.decode("utf-8", "replace")
        self.text = self._marked(body, places).decode("utf-8", "replace") if places else self.bare

    def pieces(self, text: str) -> list[tuple[str, int]]:
        """`text`, a part of the marked one, as (text, number of the redaction that it stands for, or 0)."""
        found: list[tuple[str, int]] = []
        at = number = 0
        for match in self._split.finditer(text):
            if match.start() > at:
                found.append((text[at : match.start()], number))
            number = int(match[1] or 0)
            at = match.end()
        if at < len(text):
            found.append((text[at:], number))
        return found

    def plain(self, text: str) -> str:
        """Without marks."""
        return self._split.sub("", text)

    def _marked(self, body: bytes, places: dict[int, tuple[int, int]]) -> bytes:
        parts: list[bytes] = []
        done = 0
        for number, (start, end) in sorted(places.items(), key=lambda item: item[1]):
            parts += [body[done:start], f"{self._opens}{number};".encode(), body[start:end]]
            parts.append(self._closes.encode())
            done = end
        return b"".join([*parts, body[done:]])


def _places(body: bytes, redactions: Sequence[Redaction]) -> dict[int, tuple[int, int]]:
    """Where each redaction stands now, by its number, apart from each other; without those that stand nowhere."""
    places: dict[int, tuple[int, int]] = {}
    moved = False
    sought = 0
    unsure: list[tuple[int, tuple[int, int]]] = []
    for number, each in enumerate(redactions, 1):
        start, end = each["start"], each["end"]
        span = _unquoted(body, start, end)
        written = _written(each["pseudonym"])
        if span and any(form in body[start:end] for form in written):
            places[number] = span
        elif sought < SOUGHT_MAX:
            sought += 1
            if found := _elsewhere(body, written, start, places):
                places[number] = found
                moved = moved or start >= 0
            elif span:
                unsure.append((number, span))
    if not moved:
        places |= dict(unsure)
    return _apart(places)


def _written(pseudonym: str) -> list[bytes]:
    """A pseudonym as it may stand in a body: as it is, or in Base64 where clients decode it."""
    raw = pseudonym.encode()
    return [raw, b64encode(raw)] if raw else []


def _elsewhere(
    body: bytes, written: list[bytes], start: int, taken: dict[int, tuple[int, int]]
) -> tuple[int, int] | None:
    """The place of a pseudonym that nobody has yet, the nearest one to where it was."""
    free = [
        (match.start(), match.end())
        for form in written
        for match in re.finditer(re.escape(form), body)
        if not any(match.start() < end and begin < match.end() for begin, end in taken.values())
    ]
    return min(free, key=lambda span: abs(span[0] - start), default=None)


def _unquoted(body: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The span, within the quotes that were written with it; None where it is none of this body."""
    if not 0 <= start < end <= len(body):
        return None
    quoted = end - start > 2 and body[start : start + 1] in (b'"', b"'") and body[start] == body[end - 1]
    return (start + 1, end - 1) if quoted else (start, end)


def _apart(places: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Without those that overlap one before them: a mark in a mark would be none."""
    kept: dict[int, tuple[int, int]] = {}
    done = 0
    for number, (start, end) in sorted(places.items(), key=lambda item: item[1]):
        if start >= done:
            kept[number] = (start, end)
            done = end
    return kept
