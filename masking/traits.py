"""The traits of a candidate that speak for or against it being a secret: of its name, its notation, its value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from masking.assignments import Candidate
from masking.filters import entropy
from masking.names import ABOUT, KEY_OF, NEUTRAL, SERVICES, TELLING, kind_of_name, kind_of_word
from masking.wordlike import wordlike, words

_LOOK = 256
"""How much of a long value is looked at."""

_HEX = re.compile(r"^[0-9a-fA-F]+$")
_UUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_CAMEL = re.compile(r"^[a-z]+(?:[A-Z][a-z]+)+\d?$|^(?:[A-Z][a-z]+){2,}\d?$")
_SNAKE = re.compile(r"^[a-z]+(?:[_.-][a-z]+)+$|^[A-Z]+(?:_[A-Z]+)+$")
_NUMBER = re.compile(r"^[-+]?[\d.,:_]+(?:[smhd]|ms|ns|Mi|Gi|px|%)?$")
_WHOLE_LINE = re.compile(r"""(?:(?:\n|^)[ \t]*(?:- |export |set |ENV )?["']?|[{,:]\s{0,4}"(?:\\n)?)$""")
_WORDS_FOR = frozenset({"password", "secret", "token", "key-of"})
_CHOSEN = re.compile(r"^[A-Za-z@$]{3,12}(?:[-_.@!$]?[A-Za-z]{3,12}){0,3}[-_.@!$]?\d{2,6}[!#$%&*@.?]{0,3}$")
"""What people choose: words, digits behind them, a sign at the end. Names are not like that."""
_ON = frozenset("([.")
_ENDS = _ON | {"", "\n", "\r"}
_COMPARES = frozenset(["==", "!=", "===", "!=="])
_LEET = re.compile(r"[A-Za-z]+[$@!#][A-Za-z$@!#]*$")
_SEPS = frozenset(
    [":", "=", ":=", "=>", ",", " ", ">", "(", "->", "+=", "?=", "==", "!=", "||", "===", "!=="]
)


def traits(c: Candidate) -> Iterator[tuple[str, float]]:
    """What there is about this candidate: (trait, amount); first what there is about its key."""
    yield from of_key(c.key)
    yield from of_the_rest(c)


def of_the_rest(c: Candidate) -> Iterator[tuple[str, float]]:
    """The traits beside those of the key alone."""
    yield from _of_notation(c)
    score = wordlike(c.value)
    yield from _of_value(c.value, score)
    kind = kind_of_name(c.key)
    yield f"{kind}:{_make(c.value, score)}", 1.0
    if kind in _WORDS_FOR and _CHOSEN.match(c.value):
        yield "chosen", 1.0
        if c.sep == "pair" or c.quote or c.key.isupper() or "." in c.key:
            yield "chosen-in-settings", 1.0


def of_key(key: str) -> Iterator[tuple[str, float]]:
    """What the name alone says."""
    parts = words(key)
    kinds = [(index, kind) for index, part in enumerate(parts) for kind in [kind_of_word(part)] if kind]
    last, kind = kinds[-1] if kinds else (len(parts), "other")
    if kind == "key" and last:
        kind = "key-of" if parts[last - 1] in KEY_OF else "key"
    yield "name:" + kind, 1.0
    if not SERVICES.isdisjoint(parts[:last]):
        yield "name:service:" + kind, 1.0
    if len(parts) == 1:
        yield "name:alone", 1.0
    tail = [part for part in parts[last + 1 :] if part not in NEUTRAL]
    if not ABOUT.isdisjoint(tail):
        yield "name:about", 1.0
    elif tail:
        yield "name:tail", 1.0
    if not ABOUT.isdisjoint(parts[:last]):
        yield "name:head-about", 1.0
    if key.isupper():
        yield "name:upper", 1.0


def _make(value: str, score: float) -> str:
    """What a value is made of: letters, digits, both, with symbols or without, in words or not."""
    digits, letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    if digits and letters:
        return "mixed" if value.isalnum() else "mixed-and-symbols"
    if letters:
        like = "words" if score > 4.4 else "letters"
        return like if value.isalpha() else like + "-and-symbols"
    return "digits"


def _of_notation(c: Candidate) -> Iterator[tuple[str, float]]:
    pair = c.sep[-1:] in ":=" and len(c.sep) > 3
    yield "sep:" + (c.sep if c.sep in _SEPS else "pair" if pair else "other"), 1.0
    yield ("quoted" if c.quote else "bare"), 1.0
    if c.call:
        yield "call", 1.0
    if _WHOLE_LINE.search(c.before):
        yield "line-begins", 1.0
        if c.after.strip("\"'`,; \r")[:1] in ("", "\n", "}", "]"):
            yield "line-of-its-own", 1.0
    if c.before[-1:] in "?&":
        yield "query", 1.0
    if not c.quote and c.after[:1] in _ENDS:
        yield ("goes-on" if c.after[:1] in _ON else "ends-line"), 1.0
    if not c.quote and c.sep in _COMPARES:
        yield "compared-bare", 1.0
    if not c.quote and c.sep == "=" and c.key.isupper():
        yield "dotenv", 1.0


def _of_value(value: str, score: float) -> Iterator[tuple[str, float]]:
    value = value[:_LOOK]
    size = len(value)
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    yield "length", min(math.log2(size), 6.0)
    yield "entropy", entropy(value)
    yield "wordlike", score
    yield from _composed(value, score, letters, digits)
    yield from _forms(value, size)


def _composed(value: str, score: float, letters: int, digits: int) -> Iterator[tuple[str, float]]:
    size = len(value)
    if letters == size:
        yield "letters-only", 1.0
        yield "letters-only:wordlike", score
    if digits and letters:
        yield "letters-and-digits", 1.0
        yield "digit-share", digits / size
    if digits == size or _NUMBER.match(value):
        yield "number", 1.0
    if value.lower() != value and value.upper() != value:
        yield "both-cases", 1.0
    if size - digits - letters:
        yield "symbols", 1.0
    if " " in value:
        yield "spaces", min(3.0, value.count(" "))
    if not value.isascii():
        yield "not-ascii", 1.0


def _forms(value: str, size: int) -> Iterator[tuple[str, float]]:
    parts = words(value)
    if size >= 16 and _HEX.match(value):
        yield "hex", 1.0
    if size == 36 and _UUID.match(value):
        yield "uuid", 1.0
    if _CAMEL.match(value):
        yield "camel", 1.0
    if _SNAKE.match(value):
        yield "snake", 1.0
        yield "snake-parts", min(4.0, len(parts))
    if _LEET.match(value):
        yield "leet", 1.0
    if value.isdigit() and size >= 15:
        yield "long-number", 1.0
    if not TELLING.isdisjoint(parts):
        yield "names-a-secret", 1.0
    if size >= 20:
        yield "long", 1.0
